// Draws cases: an instruction of the table in one of its forms, now and then bytes of the opcode maps that the table has
// nothing for, and short sequences.
import { MODE_16, MODE_32, MODE_64 } from "./case.ts";
import { excluded, featureOf, offers } from "./exclusions.ts";
import { allForms, drawCode, type Form } from "./forms.ts";
import { Random } from "./random.ts";
import { drawSequence, fitsSequence, isDefined, SEQUENCE_LIMITS } from "./sequence.ts";
import { formName, shapeOf } from "./shape.ts";
import type { Recipe } from "./state.ts";
import { drawTableCode } from "./table-code.ts";
import { identify, TABLE_FORMS, type TableForm } from "./table-forms.ts";

/** Processor features that both sides have: in Linux's spelling, and as numbers of assembly/features.ts. */
export interface Features {
  readonly names: ReadonlySet<string>;
  readonly bits: ReadonlySet<number>;
}

export interface GeneratorOptions {
  readonly seed: number;
  readonly features: Features;
  /** Only forms whose key (or name, as shape.ts makes it) matches. */
  readonly only?: RegExp | undefined;
  /** One case in this many is a sequence; 0: none. */
  readonly sequences?: number;
}

/** One case in this many is of an opcode that the table has nothing for. */
const UNKNOWN = 24;
/** One instruction in this many has prefixes piled up before it. */
const PILED = 32;
const PREFIXES = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x64, 0x65, 0x26, 0x2e, 0x36, 0x3e];
const REX_PREFIXES = [0x40, 0x48, 0x4f, 0x41, 0x44];
/** What is left of a case's code bytes once a sequence is nearly full. */
const MEMBER_BYTES = 12;
/** Draws by which a form shows what it is. */
const TRIES = 24;

/** The form's feature is there, as far as the table says so. */
export function isOffered({ row }: TableForm, features: Features): boolean {
  return row.feature === undefined || row.feature < 0 || features.bits.has(row.feature);
}

/** Prefixes that repeat, contradict or spoil one another, and those of the instruction; now and then more than 15 bytes.
 * Undefined where they make another length of what follows. */
function pileUp(code: Uint8Array, mode: number, random: Random): Uint8Array | undefined {
  const prefixes = [...PREFIXES, ...(mode === MODE_64 ? REX_PREFIXES : [])];
  const count = 1 + random.below(random.oneIn(4) ? 14 : 4);
  const piled = Uint8Array.from([...Array.from({ length: count }, () => random.pick(prefixes)), ...code]);
  return shapeOf(piled, mode).length === piled.length ? piled : undefined;
}

export class Generator {
  readonly random: Random;
  /** What is drawn from: forms of the table, and encodings that it has nothing for. */
  readonly known: readonly TableForm[];
  readonly unknown: readonly Form[];
  private readonly inSequences: readonly TableForm[][];

  constructor(private readonly options: GeneratorOptions) {
    this.random = new Random(options.seed);
    const { only, features } = options;
    const offered = TABLE_FORMS.filter((form) => isOffered(form, features) && this.isDrawn(form));
    this.inSequences = [MODE_64, MODE_32, MODE_16].map((mode) =>
      offered.filter((form) => form.mode === mode && fitsSequence(form)),
    );
    this.known = only ? offered.filter((form) => only.test(form.key) || only.test(this.nameOf(form))) : offered;
    this.unknown = allForms(features.names).filter((form) => this.isUnknown(form));
    if (this.known.length + this.unknown.length === 0) throw new Error(`no form matches ${only}`);
  }

  /** Draws one case. */
  draw(): Recipe {
    const { random, options } = this;
    if (options.sequences && random.oneIn(options.sequences)) {
      const { mode, code } = drawSequence(random, (wanted) => this.drawMember(wanted));
      return { mode, code, seed: random.u32(), sequence: true };
    }
    for (;;) {
      const isUnknown = this.unknown.length > 0 && (this.known.length === 0 || random.oneIn(UNKNOWN));
      const form = isUnknown ? random.pick(this.unknown) : random.pick(this.known);
      const code = this.codeOf(form);
      if (code) return { mode: form.mode, code, seed: random.u32() };
    }
  }

  /** Draws the bytes of one instruction of a form; undefined where the draw fell on what is not asked about. */
  codeOf(form: TableForm | Form): Uint8Array | undefined {
    const { random, options } = this;
    if (!("row" in form)) return drawCode(form, random, options.features.names);
    const drawn = drawTableCode(form, random);
    const code = drawn && random.oneIn(PILED) ? pileUp(drawn, form.mode, random) : drawn;
    return code && this.isAsked(code, form.mode) ? code : undefined;
  }

  private isAsked(code: Uint8Array, mode: number): boolean {
    const shape = shapeOf(code, mode);
    if (excluded(shape)) return false;
    return offers(this.options.features.names, featureOf(shape));
  }

  /** An instruction that can stand in a sequence. */
  private drawMember(mode: number): Uint8Array | undefined {
    const { random } = this;
    const form = random.pick(this.inSequences[mode]!);
    // Most vectors in memory are not aligned, and would end the sequence.
    if (form.memory && form.variant.operands.some((o) => o.bytes >= 16) && !random.oneIn(4)) return undefined;
    const code = drawTableCode(form, random, SEQUENCE_LIMITS[mode]);
    return code && code.length <= MEMBER_BYTES && this.isAsked(code, mode) && isDefined(shapeOf(code, mode))
      ? code
      : undefined;
  }

  /** Whether a draw of the form ever is that form, and asked about. */
  private isDrawn(form: TableForm): boolean {
    const random = new Random(1);
    for (let i = 0; i < TRIES; i++) {
      const code = drawTableCode(form, random);
      if (!code || !this.isAsked(code, form.mode)) continue;
      if (identify(shapeOf(code, form.mode))?.key === form.key) return true;
    }
    return false;
  }

  private nameOf(form: TableForm): string {
    const code = drawTableCode(form, new Random(1));
    return code ? formName(shapeOf(code, form.mode)) : "";
  }

  private isUnknown(form: Form): boolean {
    const { only, features } = this.options;
    const random = new Random(1);
    for (let i = 0; i < TRIES; i++) {
      const code = drawCode(form, random, features.names);
      if (!code) continue;
      const shape = shapeOf(code, form.mode);
      if (!identify(shape) && (!only || only.test(formName(shape)))) return true;
    }
    return false;
  }
}
