// Networks and how to train them, as graphs. Nothing here knows of devices or meshes.

export * from './average.ts';
export * from './axes.ts';
export * from './blocks/activations.ts';
export * from './blocks/attention.ts';
export * from './blocks/residual.ts';
// Whole graphs
export * from './build.ts';
// Networks
export * from './classifier.ts';
// What layers share while a graph is built
export * from './context.ts';
export * from './conv-block.ts';
export * from './counts.ts';
export * from './custom-network.ts';
// Layers
export * from './layers.ts';
// Training
export * from './loss/deep-loss.ts';
export * from './loss/loss-names.ts';
export * from './loss/losses.ts';
export * from './network.ts';
export * from './norm.ts';
export * from './optimizers.ts';
export * from './plain-unet.ts';
export * from './schedules.ts';
export * from './staged/plan-stages.ts';
export * from './step/accumulate.ts';
export * from './step/first-weights.ts';
export * from './step/first-weights-names.ts';
export * from './toolkit.ts';
export * from './unet.ts';
