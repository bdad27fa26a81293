import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import koffi from 'koffi';
import { describe } from 'vitest';
import type { Device } from '../../src/machine/index.ts';
import { webgpuHere } from '../../src/machine/webgpu-here.ts';

// WebGPU for tests: the package `webgpu` over the software renderer that comes with Debian's Chromium, unless a GPU is asked for.

const FOLDER = '/usr/lib/chromium';
const DRIVER = `${FOLDER}/vk_swiftshader_icd.json`;

const installed = (): boolean => {
  try {
    createRequire(import.meta.url).resolve('webgpu');
    return true;
  } catch {
    return false;
  }
};

/** Why tests of WebGPU are skipped; undefined where they run. */
const NO_WEBGPU = !installed()
  ? 'the package webgpu is not installed'
  : existsSync(DRIVER) || process.env.HALOMESH_TEST_GPU === '1'
    ? undefined
    : 'no Chromium with a software renderer here: apt-get install chromium';

/** The loader of Vulkan that comes with Chromium, which stays loaded as long as something holds it. */
export const loader =
  NO_WEBGPU === undefined && process.env.HALOMESH_TEST_GPU !== '1' ? inSoftware() : undefined;

function inSoftware(): unknown {
  process.env.VK_DRIVER_FILES = DRIVER;
  const file = `${FOLDER}/libvulkan.so.1`;
  return existsSync(file) ? koffi.load(file) : undefined;
}

export const webgpu = (): Device => webgpuHere();

/** Tests of WebGPU, which are skipped where there is none. */
export function onWebGpu(name: string, tests: () => void): void {
  const why = NO_WEBGPU === undefined ? '' : ` (skipped: ${NO_WEBGPU})`;
  describe.skipIf(NO_WEBGPU !== undefined)(`${name}${why}`, tests);
}
