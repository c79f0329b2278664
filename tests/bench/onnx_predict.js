// Predicts all images of an IDX file by an ONNX model of pardigits, with onnxruntime-node.
// Usage: onnx_predict.js MODEL.onnx IMAGES OUT: OUT.values has f32 probabilities or scores, OUT.labels the labels that the model gives itself
const fs = require('fs');
const ort = require('onnxruntime-node');

async function main([model, images, out]) {
    const session = await ort.InferenceSession.create(model);
    const file = fs.readFileSync(images), [n, height, width] = [4, 8, 12].map((at) => file.readUInt32BE(at));
    const pixels = height * width, values = [], labels = [];
    for (let first = 0; first < n; first += 500) {
        const count = Math.min(500, n - first);
        const data = Float32Array.from(file.subarray(16 + first * pixels, 16 + (first + count) * pixels));
        const result = await session.run({image: new ort.Tensor('float32', data, [count, 1, height, width])});
        const {data: numbers} = result.probabilities ?? result.scores;
        values.push(Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength));
        if (result.label) labels.push(...result.label.data);
    }
    fs.writeFileSync(out + '.values', Buffer.concat(values));
    if (labels.length) fs.writeFileSync(out + '.labels', labels.join('\n'));
}

main(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exit(1);
});
