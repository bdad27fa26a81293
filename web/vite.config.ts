import path from 'node:path';
import { defineConfig } from 'vite';

// The page of `halomesh view`: one script and one style sheet beside index.html, named relative to it, so that it works at any
// address and can be written into one file.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  build: {
    outDir: path.resolve(import.meta.dirname, '..', 'dist', 'web'),
    emptyOutDir: true,
    modulePreload: false,
    assetsInlineLimit: 2 ** 24,
    chunkSizeWarningLimit: 8192,
    rolldownOptions: { output: { codeSplitting: false } },
  },
});
