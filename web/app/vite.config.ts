import path from 'node:path';
import { defineConfig } from 'vite';

// The page of `halomesh app`: one script, with its workers in it, one style sheet and the kernels, named relative to index.html. All
// of it is loaded with the page.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  worker: { format: 'es', rolldownOptions: { output: { codeSplitting: false } } },
  build: {
    outDir: path.resolve(import.meta.dirname, '..', '..', 'dist', 'web-app'),
    emptyOutDir: true,
    modulePreload: false,
    assetsInlineLimit: (file) => !file.endsWith('.wasm'),
    chunkSizeWarningLimit: 8192,
    rolldownOptions: { output: { codeSplitting: false } },
  },
});
