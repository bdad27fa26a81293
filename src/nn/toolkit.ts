import * as ops from '../ops/index.ts';
import { channelOf, spaceOf } from './axes.ts';
import { gelu, logSigmoid, prelu, silu } from './blocks/activations.ts';
import { attentionGate, squeezeExcite } from './blocks/attention.ts';
import { residualBlock } from './blocks/residual.ts';
import { convBlock } from './conv-block.ts';
import { avgPool, conv, convTranspose, dense, dropout, maxPool, upsample } from './layers.ts';
import { batchNorm, groupNorm, instanceNorm } from './norm.ts';
import { scoresOf } from './unet.ts';

/** What a network of one's own is made of, by the names that `import { ... } from 'halomesh'` has for them. */
export const TOOLKIT = {
  // Layers with weights, and what goes with them
  conv,
  convTranspose,
  convBlock,
  residualBlock,
  dense,
  dropout,
  maxPool,
  avgPool,
  upsample,
  batchNorm,
  instanceNorm,
  groupNorm,
  scoresOf,
  squeezeExcite,
  attentionGate,
  // Activations
  prelu,
  silu,
  gelu,
  logSigmoid,
  // Shapes
  channelOf,
  spaceOf,
  // Operations on values
  abs: ops.abs,
  add: ops.add,
  castTo: ops.castTo,
  concat: ops.concat,
  constant: ops.constant,
  div: ops.div,
  einsum: ops.einsum,
  equal: ops.equal,
  erf: ops.erf,
  exp: ops.exp,
  leakyRelu: ops.leakyRelu,
  less: ops.less,
  lessEqual: ops.lessEqual,
  log: ops.log,
  maximum: ops.maximum,
  minimum: ops.minimum,
  mul: ops.mul,
  neg: ops.neg,
  pad: ops.pad,
  pow: ops.pow,
  reduceMax: ops.reduceMax,
  reduceMean: ops.reduceMean,
  reduceMin: ops.reduceMin,
  reduceSum: ops.reduceSum,
  rename: ops.rename,
  reshape: ops.reshape,
  resize: ops.resize,
  rsqrt: ops.rsqrt,
  scalar: ops.scalar,
  select: ops.select,
  sigmoid: ops.sigmoid,
  slice: ops.slice,
  softmax: ops.softmax,
  sqrt: ops.sqrt,
  square: ops.square,
  sub: ops.sub,
  tanh: ops.tanh,
  transpose: ops.transpose,
} as const;

export type Toolkit = typeof TOOLKIT;
