import type { ParseArgsConfig, parseArgs } from "node:util";

export function readOptions<T extends ParseArgsConfig>(help: string, config: T): ReturnType<typeof parseArgs<T>>;
export function numberOption(help: string, name: string, text: string, least?: number): number;
export function namesOption(name: string, text: string, known: readonly string[]): string[];
export function nameOption(name: string, text: string, known: readonly string[]): string;
