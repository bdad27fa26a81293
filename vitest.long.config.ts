import { defineConfig } from 'vitest/config';
import { LONG, shared } from './vitest.config.ts';

export default defineConfig({ test: { ...shared, include: [LONG] } });
