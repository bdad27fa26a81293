import type { Command } from 'commander';
import type { Flags } from '../actions/export.ts';
import { addOverwriteFlag } from '../flags/flags.ts';
import { oneOf } from '../flags/parse.ts';

/** `halomesh export` */
export function exportCommand(program: Command): void {
  const command = program
    .command('export')
    .summary('write a trained network as ONNX, its weights for PyTorch, or all of it for pages')
    .description(
      'Writes the network of a run for other programs: as an ONNX model (opset 17) for volumes of any size, and its weights as ' +
        'safetensors with the names and layout of PyTorch. Both tell classes, voxel size and window. Or, with --web, as one file ' +
        'for the page of halomesh app.',
    )
    .requiredOption('--run <run>', 'folder of the run: what was --out of train or import')
    .option(
      '--checkpoint <which>',
      'best or latest (default: best, where there is one)',
      oneOf('--checkpoint', ['best', 'latest']),
    )
    .option('--onnx <file>', 'ONNX model to write')
    .option('--safetensors <file>', 'weights to write')
    .option('--web <file>', 'run to write for the page of halomesh app');
  addOverwriteFlag(command)
    .addHelpText(
      'after',
      '\nExample:\n  halomesh export --run runs/a --onnx liver.onnx --safetensors liver.safetensors',
    )
    .action(async (flags: Flags) => (await import('../actions/export.ts')).exportAction(flags));
}
