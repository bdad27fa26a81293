import type { Command } from 'commander';
import type { Flags } from '../actions/export.ts';
import { addOverwriteFlag } from '../flags/flags.ts';
import { oneOf, patch, split } from '../flags/parse.ts';

/** `halomesh export` */
export function exportCommand(program: Command): void {
  const command = program
    .command('export')
    .summary(
      'write a trained network as ONNX, its weights for PyTorch, all of it for pages, or its programs for XLA',
    )
    .description(
      'Writes the network of a run for other programs: as an ONNX model (opset 17) for volumes of any size, and its weights as ' +
        'safetensors with the names and layout of PyTorch. Both tell classes, voxel size and window. Or, with --web, as one file ' +
        'for the page of halomesh app. With --stablehlo its training step and prediction are written as programs that XLA compiles, ' +
        'for one device or split over many, with the numbers of the checkpoint and a script that runs them under JAX.',
    )
    .requiredOption('--run <run>', 'folder of the run: what was --out of train or import')
    .option(
      '--checkpoint <which>',
      'best or latest (default: best, where there is one)',
      oneOf('--checkpoint', ['best', 'latest']),
    )
    .option('--onnx <file>', 'ONNX model to write')
    .option('--safetensors <file>', 'weights to write')
    .option('--web <file>', 'run to write for the page of halomesh app')
    .option('--stablehlo <folder>', 'programs to write, in StableHLO')
    .option(
      '--size <voxels>',
      'of --stablehlo: voxels along depth, height and width that the programs take (default: those of the training, where it had one size)',
      patch('--size'),
    )
    .option(
      '--split <parts>',
      'of --stablehlo: parts to cut dimensions into, a device each, such as depth=2,height=2,width=2',
      split('--split'),
    )
    .option(
      '--sharding <words>',
      'of --stablehlo: how XLA is told of the split: shardy (default), gspmd, or none',
      oneOf('--sharding', ['shardy', 'gspmd', 'none']),
    )
    .option(
      '--float32-sums',
      'of --stablehlo: float32 in place of float64, which sums and losses are held in',
    );
  addOverwriteFlag(command)
    .addHelpText(
      'after',
      '\nExample:\n  halomesh export --run runs/a --onnx liver.onnx --safetensors liver.safetensors',
    )
    .action(async (flags: Flags) => (await import('../actions/export.ts')).exportAction(flags));
}
