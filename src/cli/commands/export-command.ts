import type { Command } from 'commander';
import type { Flags } from '../actions/export.ts';
import { addOverwriteFlag } from '../flags/flags.ts';
import { oneOf } from '../flags/parse.ts';

/** `halomesh export` */
export function exportCommand(program: Command): void {
  const command = program
    .command('export')
    .summary('write a trained network as ONNX, or its weights for PyTorch')
    .description(
      'Writes the network of a run for other programs: as an ONNX model (opset 17) for volumes of any size, and its weights as ' +
        'safetensors with the names and layout of PyTorch. Both tell classes, voxel size and window.',
    )
    .requiredOption('--run <run>', 'folder of the run: what was --out of train or import')
    .option(
      '--checkpoint <which>',
      'best or latest (default: best, where there is one)',
      oneOf('--checkpoint', ['best', 'latest']),
    )
    .option('--onnx <file>', 'ONNX model to write')
    .option('--safetensors <file>', 'weights to write');
  addOverwriteFlag(command)
    .addHelpText(
      'after',
      '\nExample:\n  halomesh export --run runs/a --onnx liver.onnx --safetensors liver.safetensors',
    )
    .action(async (flags: Flags) => (await import('../actions/export.ts')).exportAction(flags));
}
