#!/usr/bin/env python3
"""Prints the weights of a trained gate as C: batch norm folded in, 8 bits a weight. Usage: export_gate.py MODEL.h5"""
import subprocess,re,numpy as np,sys
def get(d):
    t=subprocess.run(['h5dump','-d',d,'-y','-w','0',sys.argv[1]],capture_output=True,text=True).stdout
    shape=[int(v) for v in re.search(r'SIMPLE \{ \(([^)]*)\)',t).group(1).split(',')]
    data=t[t.index('DATA {')+6:]; return np.array([float(v) for v in re.findall(r'-?\d+\.?\d*(?:e-?\d+)?',data)],np.float64).reshape(shape)
eps = 1e-5  # NORM_EPSILON of src/cnn/network.h
def arr(name,a,per=26): 
    v=[str(int(x)) for x in a.ravel()]; return 'static const int8_t gate_%s[] = {\n'%name+'\n'.join('    '+', '.join(v[i:i+per])+',' for i in range(0,len(v),per))+'\n};\n'
def fl(name,a): return 'static const float gate_%s[] = {\n'%name+'\n'.join('    '+', '.join('%.7gf'%x if '.' in '%.7g'%x or 'e' in '%.7g'%x else '%.1ff'%x for x in a.ravel()[i:i+8])+',' for i in range(0,a.size,8))+'\n};\n'
s=''
for k in (1,2,3):
    w=get(f'/model/conv{k}/weight'); g,b,m,v=[get(f'/model/bn{k}/{n}') for n in('scale','shift','mean','variance')]
    f=g/np.sqrt(v+eps); w=w*f; o=b-m*f
    q=np.abs(w).reshape(-1,w.shape[-1]).max(0)/127; s+=arr(f'weights_{k}',np.round(w/q))+fl(f'scale_{k}',q)+fl(f'offset_{k}',o)
w=get('/model/dense1/weight'); b=get('/model/dense1/bias'); s+=fl('weights_4',w[:,1]-w[:,0])+'static const float gate_offset_4 = %.7gf;\n'%(b[1]-b[0])
print("""/* Written by tests/pictures/export_gate.py: the weights of gate.c, which alone includes them. */
#ifndef PARDIGITS_DATA_GATE_WEIGHTS_H
#define PARDIGITS_DATA_GATE_WEIGHTS_H

#include <stdint.h>

/* clang-format off */
""" + s + """/* clang-format on */

#endif""")
