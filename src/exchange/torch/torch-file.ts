import type { FileHandle } from 'node:fs/promises';
import { fail } from '../../core/index.ts';
import { openFile, systemErrorReason } from '../../files/index.ts';
import { unpickle } from './pickle.ts';
import { ForeignImport, PickleFault, type PickleValue } from './pickle-values.ts';
import { bytesOfType, countOf, numbersOf, type TorchNumbers, type TorchTensor } from './tensors.ts';
import { torchHost } from './torch-host.ts';
import { type Archive, openArchive } from './zip.ts';

// The files of torch.save since PyTorch 1.6: a zip archive of
//
//   NAME/data.pkl     a pickle of the value, its tensors as views of storages
//   NAME/data/KEY     the numbers of each storage
//   NAME/byteorder    `little`; absent in older files

/** An open file of torch.save. */
export interface TorchFile {
  /** What was saved. */
  readonly value: PickleValue;
  /** Numbers of one of its tensors. `name`: what it is called in messages. Throws HalomeshError where they are damaged. */
  read(tensor: TorchTensor, name: string): Promise<TorchNumbers>;
  close(): Promise<void>;
}

/** How pickles of older files begin: protocol 2, and a number that marks them. */
const OLD = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
const ZIP = Buffer.from('PK\x03\x04', 'latin1');
const MOST_PICKLE = 2 ** 30;
const AGAIN =
  'Load it in PyTorch where you trust it, and save the weights alone: torch.save(model.state_dict(), "weights.pth")';

/** Opens a checkpoint of PyTorch (`.pt`, `.pth`). Nothing in it is run. Throws HalomeshError that names the file. */
export async function openTorch(file: string): Promise<TorchFile> {
  const handle = await openFile(file).catch((error: unknown) => cannotRead(file, error));
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) fail({ where: file, problem: 'is no file' });
    await checkKind(file, handle);
    const archive = await openArchive(file, handle, stat.size);
    const folder = await folderOf(file, archive);
    return {
      value: await savedValue(file, archive, folder),
      read: (tensor, name) =>
        readTensor(file, archive, folder, tensor, name).catch((error: unknown) => cannotRead(file, error)),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    return cannotRead(file, error);
  }
}

/** Raises an error of the system with the file's name, and others as they are. */
function cannotRead(file: string, error: unknown): never {
  if (!(error instanceof Error && 'syscall' in error)) throw error;
  return fail({ where: file, problem: `cannot be read: ${systemErrorReason(error)}` }, { cause: error });
}

async function checkKind(file: string, handle: FileHandle): Promise<void> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(OLD.length), 0, OLD.length, 0);
  const start = buffer.subarray(0, bytesRead);
  if (start.subarray(0, ZIP.length).equals(ZIP)) return;
  fail({
    where: file,
    problem: 'is no checkpoint of PyTorch that can be read',
    expected: 'a zip archive, as torch.save writes since PyTorch 1.6',
    found: start.equals(OLD) ? 'the format before PyTorch 1.6' : 'other bytes',
    hint: start.equals(OLD) ? AGAIN : undefined,
  });
}

/** The folder of the archive in which all lies, with its slash; refuses what is there that is no checkpoint. */
async function folderOf(file: string, archive: Archive): Promise<string> {
  const found = [...archive.entries.keys()].flatMap(
    (name) => /^((?:[^/]+\/)?)data\.pkl$/.exec(name)?.[1] ?? [],
  );
  if (found.length !== 1)
    fail({
      where: file,
      problem: 'is no checkpoint of PyTorch',
      expected: 'one entry NAME/data.pkl',
      found: `${found.length}`,
    });
  const [folder] = found;
  if (archive.entries.has(`${folder}constants.pkl`))
    fail({ where: file, problem: 'is a program (TorchScript) and no checkpoint', hint: AGAIN });
  const order = archive.entries.get(`${folder}byteorder`);
  if (order === undefined || order.size > 16) return folder;
  const text = (await archive.read(order)).toString('latin1');
  if (text !== 'little')
    fail({ where: file, problem: 'byte order of the numbers', expected: 'little', found: text, hint: AGAIN });
  return folder;
}

async function savedValue(file: string, archive: Archive, folder: string): Promise<PickleValue> {
  const entry = archive.entries.get(`${folder}data.pkl`)!;
  if (entry.size > MOST_PICKLE)
    fail({
      where: file,
      problem: 'size of the pickle',
      expected: `at most ${MOST_PICKLE}`,
      found: `${entry.size}`,
    });
  const bytes = await archive.read(entry);
  try {
    return unpickle(bytes, torchHost);
  } catch (error) {
    if (!(error instanceof PickleFault)) throw error;
    const foreign = error instanceof ForeignImport;
    const problem = foreign
      ? 'holds objects of a program, which are never loaded'
      : 'its pickle cannot be read';
    const { expected, found } = error;
    return fail(
      { where: file, problem, expected, found, hint: foreign ? AGAIN : undefined },
      { cause: error },
    );
  }
}

async function readTensor(
  file: string,
  archive: Archive,
  folder: string,
  tensor: TorchTensor,
  name: string,
): Promise<TorchNumbers> {
  const { storage, shape } = tensor;
  const entry = archive.entries.get(`${folder}data/${storage.key}`);
  if (entry === undefined)
    return fail({
      where: file,
      problem: `numbers of tensor "${name}"`,
      expected: `an entry ${folder}data/${storage.key}`,
      found: 'none',
    });
  const bytes = storage.length * (storage.type === undefined ? 1 : bytesOfType(storage.type));
  if (entry.size !== bytes)
    fail({
      where: file,
      problem: `numbers of tensor "${name}"`,
      expected: `${bytes} bytes in ${entry.name}`,
      found: `${entry.size}`,
    });
  if (countOf(shape) === 0) return numbersOf(tensor, Buffer.alloc(0));
  return numbersOf(tensor, await archive.read(entry));
}
