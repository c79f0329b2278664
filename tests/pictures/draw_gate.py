#!/usr/bin/env python3
"""Draws what the gate (src/data/gate.h) is trained on, as IDX files: digits (1) of MNIST's first 50,000 training images and of
fonts, and other shapes (0): letters of fonts and of strokes, scribbles, pairs of digits, noise, blots. The fonts aren't those of
draw.py but for a few. The test part has the other training images. Usage: draw_gate.py MNIST_DIR OUT_DIR
"""

import sys
import numpy as np, glob, struct, os
from PIL import Image, ImageDraw, ImageFont, ImageFilter
rs=np.random.RandomState(7)
T=np.frombuffer(open(sys.argv[1] + '/train-images-idx3-ubyte','rb').read(),np.uint8)[16:].reshape(-1,28,28)
fonts=[f for f in glob.glob('/usr/share/fonts/**/*.?tf',recursive=True) if any(k in f.lower() for k in('dejavu','comicneue','setofont.ttf','klee','breip.ttf','becausewelearn','becausewebuild'))]
print(len(fonts))
def norm(im):
    """PIL L, ink light on black -> 28x28 as MNIST"""
    b=im.point(lambda v:255*(v>40)).getbbox()
    if not b: return None
    im=im.crop(b); w,h=im.size; s=20/max(w,h); im=im.resize((max(1,round(w*s)),max(1,round(h*s))),Image.BOX if s<1 else Image.BILINEAR)
    a=np.array(im).astype(float); a*=255/max(a.max(),1); h,w=a.shape; y,x=np.mgrid[:h,:w]; m=a.sum()
    t=int(round(14-(a*y).sum()/m)); l=int(round(14-(a*x).sum()/m)); t=min(max(t,0),28-h); l=min(max(l,0),28-w)
    o=np.zeros((28,28),np.uint8); o[t:t+h,l:l+w]=a; return o
def warp(im,k=1):
    a=rs.uniform(-12,12)*k; sh=rs.uniform(-.3,.3)*k; sx=rs.uniform(.75,1.25)
    im=im.rotate(a,Image.BILINEAR); w,h=im.size
    return im.transform((w,h),Image.AFFINE,(sx,sh,w/2-sx*w/2-sh*h/2,0,1,0),Image.BILINEAR)
def thick(im):
    r=rs.randint(4)
    if r==1: im=im.filter(ImageFilter.MaxFilter(5))
    if r==2: im=im.filter(ImageFilter.MinFilter(3))
    if r==3: im=im.filter(ImageFilter.MaxFilter(3))
    return im
cache={}
def glyph(c):
    f=fonts[rs.randint(len(fonts))]
    if f not in cache: cache[f]=ImageFont.truetype(f,64)
    im=Image.new('L',(128,128),0); ImageDraw.Draw(im).text((64,64),c,font=cache[f],fill=255,anchor='mm')
    return norm(warp(thick(im)))
# letters as strokes; unit square
S={'A':[[(0,1),(.5,0),(1,1)],[(.2,.6),(.8,.6)]],'E':[[(1,0),(0,0),(0,1),(1,1)],[(0,.5),(.8,.5)]],'F':[[(1,0),(0,0),(0,1)],[(0,.5),(.8,.5)]],'H':[[(0,0),(0,1)],[(1,0),(1,1)],[(0,.5),(1,.5)]],'K':[[(0,0),(0,1)],[(1,0),(0,.5),(1,1)]],'L':[[(0,0),(0,1),(.9,1)]],'M':[[(0,1),(.1,0),(.5,.7),(.9,0),(1,1)]],'N':[[(0,1),(0,0),(1,1),(1,0)]],'T':[[(0,0),(1,0)],[(.5,0),(.5,1)]],'V':[[(0,0),(.5,1),(1,0)]],'W':[[(0,0),(.25,1),(.5,.3),(.75,1),(1,0)]],'X':[[(0,0),(1,1)],[(1,0),(0,1)]],'Y':[[(0,0),(.5,.5),(1,0)],[(.5,.5),(.5,1)]],'P':[[(0,1),(0,0),(.7,.05),(.9,.25),(.7,.5),(0,.5)]],'R':[[(0,1),(0,0),(.7,.05),(.9,.25),(.7,.5),(0,.5),(1,1)]],'U':[[(0,0),(0,.7),(.3,1),(.7,1),(1,.7),(1,0)]],'+':[[(0,.5),(1,.5)],[(.5,0),(.5,1)]],'#':[[(.3,0),(.3,1)],[(.7,0),(.7,1)],[(0,.3),(1,.3)],[(0,.7),(1,.7)]],'*':[[(0,0),(1,1)],[(1,0),(0,1)],[(.5,0),(.5,1)],[(0,.5),(1,.5)]],'=':[[(0,.2),(1,.2)],[(0,.8),(1,.8)]],'sq':[[(0,0),(1,0),(1,1),(0,1),(0,0)]],'tri':[[(.5,0),(1,1),(0,1),(.5,0)]],'G':[[(1,.2),(.6,0),(.2,.2),(0,.5),(.2,.9),(.6,1),(1,.8),(1,.55),(.6,.55)]],'n':[[(0,0),(0,1)],[(0,.3),(.4,0),(.8,.2),(.9,1)]],'m':[[(0,0),(0,1)],[(0,.2),(.3,0),(.5,.3),(.5,1)],[(.5,.3),(.75,0),(1,.3),(1,1)]],'h':[[(0,0),(0,1)],[(0,.6),(.4,.4),(.8,.6),(.8,1)]],'r':[[(0,0),(0,1)],[(0,.4),(.4,.05),(.8,.15)]],'C':[[(1,.15),(.6,0),(.2,.2),(0,.5),(.2,.85),(.6,1),(1,.85)]],'D':[[(0,0),(0,1),(.6,.9),(1,.5),(.6,.1),(0,0)]],'J':[[(.2,0),(1,0)],[(.6,0),(.6,.8),(.3,1),(0,.8)]],'E2':[[(.9,.1),(.3,0),(.1,.25),(.5,.5),(.1,.75),(.3,1),(.9,.9)]]}
def strokes(lines,jit,w):
    im=Image.new('L',(160,160),0); d=ImageDraw.Draw(im); asp=rs.uniform(.55,1.05)
    for l in lines:
        p=[(80+asp*80*(x-.5+rs.normal(0,jit)),80+80*(y-.5+rs.normal(0,jit))) for x,y in l]
        # smooth a little: subdivide with bow
        q=[p[0]]
        for a,b in zip(p,p[1:]):
            bow=rs.normal(0,.06)*np.hypot(b[0]-a[0],b[1]-a[1])
            mx,my=(a[0]+b[0])/2-(b[1]-a[1])/80*bow,(a[1]+b[1])/2+(b[0]-a[0])/80*bow
            q+=[(mx,my),b]
        d.line(q,fill=255,width=w,joint='curve')
        for x,y in q: d.ellipse((x-w/2,y-w/2,x+w/2,y+w/2),fill=255)
    return im.filter(ImageFilter.GaussianBlur(1))
letters='ACDEFGHJKLMNPQRTUVWXYZabcdefhkmnprtuvwxyzABDEFHKMNRTWXY&@%?!+=#<>()/'
letters=[c for c in letters if c not in 'Zbzo/()!lI?']
def neg():
    k=rs.randint(10)
    if k<4: return glyph(letters[rs.randint(len(letters))])
    if k<7:
        n=list(S); return norm(warp(strokes(S[n[rs.randint(len(n))]],.05,rs.randint(4,16)),.8))
    if k==7: # scribble
        m=rs.randint(4,10); return norm(strokes([list(zip(rs.rand(m),rs.rand(m)))],0,rs.randint(3,12)))
    if k==8: # two digits in one, narrow
        a,b=T[rs.randint(50000)],T[rs.randint(50000)]; im=np.zeros((28,60),np.uint8); o=rs.randint(14,22)
        im[:,2:30]=a; im[:,2+o:30+o]=np.maximum(im[:,2+o:30+o],b); return norm(Image.fromarray(im))
    r=rs.randint(3)
    if r==0: # noise or blotches
        im=Image.fromarray((rs.rand(40,40)*255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(rs.uniform(.3,4)))
        a=np.array(im).astype(float); a=(a-np.percentile(a,rs.randint(40,90)))*20; return norm(Image.fromarray(np.clip(a,0,255).astype(np.uint8)))
    if r==1: # part of letters pair
        f=fonts[rs.randint(len(fonts))]; im=Image.new('L',(200,128),0); c=''.join(letters[rs.randint(len(letters))] for _ in range(2))
        if f not in cache: cache[f]=ImageFont.truetype(f,64)
        ImageDraw.Draw(im).text((100,64),c,font=cache[f],fill=255,anchor='mm'); return norm(warp(thick(im)))
    x,y,w,h=rs.randint(20,60),rs.randint(20,60),rs.randint(20,80),rs.randint(20,80)
    im=Image.new('L',(160,160),0); d=ImageDraw.Draw(im); (d.ellipse if rs.rand()<.3 else d.rectangle)((x,y,x+w,y+h),fill=255); return norm(warp(im))
def many(f,n):
    out=[]
    while len(out)<n:
        o=f()
        if o is not None: out.append(o)
    return np.array(out)
def pos(): return glyph('0123456789'[rs.randint(10)])
def idx(name,im,lab):
    open(name+'-images-idx3-ubyte','wb').write(struct.pack('>iiii',2051,len(im),28,28)+im.tobytes())
    open(name+'-labels-idx1-ubyte','wb').write(struct.pack('>ii',2049,len(lab))+lab.astype(np.uint8).tobytes())
o = sys.argv[2] + '/'
os.makedirs(o, exist_ok=True)
P=np.concatenate([T[:50000],many(pos,8000)]); N=many(neg,42000)
X=np.concatenate([P,N]); y=np.r_[np.ones(len(P)),np.zeros(len(N))]; q=rs.permutation(len(X)); idx(o+'train',X[q],y[q])
P=T[50000:]; N=many(neg,4000); idx(o+'t10k',np.concatenate([P,N]),np.r_[np.ones(len(P)),np.zeros(len(N))])
