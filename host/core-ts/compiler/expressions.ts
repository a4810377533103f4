// Expressions of the sources. `context` is the type that is asked for, as in AssemblyScript: literals take it, and
// operands pass it on.
import ts from "typescript";
import { type Body, bare } from "./body.ts";
import { compileBuiltin } from "./builtins.ts";
import { type Arithmetic, arithmetic, type Comparison, compare, type Shift, shift } from "./integers.ts";
import * as P from "./parts.ts";
import type { FunctionSymbol, VariableSymbol } from "./program.ts";
import { BOOL, F64, I32, literalType, type Type, typeNamed, VOID } from "./types.ts";
import { float, integer, truth, type Value, value } from "./value.ts";

const K = ts.SyntaxKind;

const ARITHMETIC = new Map<ts.SyntaxKind, Arithmetic>([
  [K.PlusToken, "+"],
  [K.MinusToken, "-"],
  [K.AsteriskToken, "*"],
  [K.SlashToken, "/"],
  [K.PercentToken, "%"],
  [K.AmpersandToken, "&"],
  [K.BarToken, "|"],
  [K.CaretToken, "^"],
]);
const SHIFTS = new Map<ts.SyntaxKind, Shift>([
  [K.LessThanLessThanToken, "<<"],
  [K.GreaterThanGreaterThanToken, ">>"],
  [K.GreaterThanGreaterThanGreaterThanToken, ">>>"],
]);
const COMPARISONS = new Map<ts.SyntaxKind, Comparison>([
  [K.EqualsEqualsToken, "=="],
  [K.ExclamationEqualsToken, "!="],
  [K.LessThanToken, "<"],
  [K.LessThanEqualsToken, "<="],
  [K.GreaterThanToken, ">"],
  [K.GreaterThanEqualsToken, ">="],
]);
const COMPOUND = new Map<ts.SyntaxKind, ts.SyntaxKind>([
  [K.PlusEqualsToken, K.PlusToken],
  [K.MinusEqualsToken, K.MinusToken],
  [K.AsteriskEqualsToken, K.AsteriskToken],
  [K.SlashEqualsToken, K.SlashToken],
  [K.PercentEqualsToken, K.PercentToken],
  [K.AmpersandEqualsToken, K.AmpersandToken],
  [K.BarEqualsToken, K.BarToken],
  [K.CaretEqualsToken, K.CaretToken],
  [K.LessThanLessThanEqualsToken, K.LessThanLessThanToken],
  [K.GreaterThanGreaterThanEqualsToken, K.GreaterThanGreaterThanToken],
  [K.GreaterThanGreaterThanGreaterThanEqualsToken, K.GreaterThanGreaterThanGreaterThanToken],
]);

const LIMITS: Record<string, bigint> = {
  "u64.MAX_VALUE": 0xffffffffffffffffn,
  "u32.MAX_VALUE": 0xffffffffn,
  "i64.MAX_VALUE": 0x7fffffffffffffffn,
  "i64.MIN_VALUE": -0x8000000000000000n,
  "i32.MAX_VALUE": 0x7fffffffn,
  "i32.MIN_VALUE": -0x80000000n,
};

export function compileExpression(body: Body, node: ts.Expression, context: Type | undefined): Value {
  if (ts.isParenthesizedExpression(node)) return compileExpression(body, node.expression, context);
  if (ts.isNumericLiteral(node)) return literal(node.getText(), false, context);
  if (node.kind === K.TrueKeyword) return integer(BOOL, 1n);
  if (node.kind === K.FalseKeyword) return integer(BOOL, 0n);
  if (ts.isIdentifier(node)) return identifier(body, node.text);
  if (ts.isTypeAssertionExpression(node)) {
    const t = body.typeOf(node.type);
    return body.convert(compileExpression(body, node.expression, t), t);
  }
  if (ts.isPrefixUnaryExpression(node)) return prefix(body, node, context);
  if (ts.isPostfixUnaryExpression(node)) {
    const before = body.bind(compileExpression(body, node.operand, undefined));
    assignTo(
      body,
      node.operand,
      arithmetic(body, node.operator === K.PlusPlusToken ? "+" : "-", before, integer(before.type, 1n)),
    );
    return before;
  }
  if (ts.isBinaryExpression(node)) return binary(body, node, context);
  if (ts.isConditionalExpression(node)) return conditional(body, node, context);
  if (ts.isCallExpression(node)) return call(body, node, context);
  if (ts.isPropertyAccessExpression(node)) {
    const limit = LIMITS[node.getText()];
    if (limit !== undefined) return integer(typeNamed(node.getText().slice(0, 3))!, limit);
  }
  throw body.error(`no rule for ${K[node.kind]}`);
}

/** An expression as a JavaScript condition. */
export function condition(body: Body, node: ts.Expression): string {
  if (ts.isParenthesizedExpression(node)) return condition(body, node.expression);
  if (ts.isPrefixUnaryExpression(node) && node.operator === K.ExclamationToken) {
    const inner = condition(body, node.operand);
    return inner === "true" ? "false" : inner === "false" ? "true" : `!${wrapped(inner)}`;
  }
  if (ts.isBinaryExpression(node)) {
    const op = node.operatorToken.kind;
    if (op === K.AmpersandAmpersandToken || op === K.BarBarToken)
      return logical(body, node, op === K.AmpersandAmpersandToken);
  }
  return body.truthy(compileExpression(body, node, undefined));
}

const wrapped = (text: string): string =>
  P.isAtom(text) || (text.startsWith("(") && bare(text) !== text) ? text : `(${text})`;

function logical(body: Body, node: ts.BinaryExpression, and: boolean): string {
  const left = condition(body, node.left);
  if (left === (and ? "false" : "true")) return left;
  const right = body.nested(() => condition(body, node.right));
  if (left === (and ? "true" : "false")) {
    body.lines.push(...right.lines);
    return right.result;
  }
  if (right.lines.length === 0) return `(${left} ${and ? "&&" : "||"} ${right.result})`;
  const name = body.name("$c");
  body.emit(`let ${name} = ${bare(left)};`);
  body.emit(`if (${and ? name : `!${name}`}) {`);
  body.lines.push(...right.lines);
  body.emit(`${name} = ${bare(right.result)};`);
  body.emit("}");
  return name;
}

function literal(text: string, negative: boolean, context: Type | undefined): Value {
  const plain = text.replaceAll("_", "");
  if (/[.]|^\d+e/i.test(plain) && !/^0x/i.test(plain)) {
    const x = Number(plain);
    return float(context?.kind === "float" ? context : F64, negative ? -x : x);
  }
  const of = negative ? -BigInt(plain) : BigInt(plain);
  const t = literalType(of, context);
  return t.kind === "float" ? float(t, Number(of)) : integer(t, of);
}

function identifier(body: Body, name: string): Value {
  const local = body.find(name);
  if (local) {
    if (local.fixed) return local.fixed;
    const v = value(local.type, local.names, false, local.align);
    return v.type === BOOL ? { ...v, condition: `(${v.parts[0]} !== 0)` } : v;
  }
  if (name === "Infinity") return float(F64, Number.POSITIVE_INFINITY);
  if (name === "NaN") return float(F64, Number.NaN);
  if (name === "ASC_FEATURE_THREADS") return integer(BOOL, 1n);
  // Vectors are emulated here: what has a scalar form takes it.
  if (name === "ASC_FEATURE_SIMD") return integer(BOOL, 0n);
  const symbol = body.unit.program.find(body.frame.module, name);
  if (symbol?.kind !== "variable") throw body.error(`no variable ${name}`);
  return body.unit.variable(symbol);
}

/** The variable of the sources that an assignment changes. */
export function assignTo(body: Body, target: ts.Expression, v: Value): Value {
  const name = target.getText();
  const local = body.find(name);
  const type = local
    ? local.type
    : body.unit.variable(body.unit.program.find(body.frame.module, name) as VariableSymbol).type;
  const names = local
    ? local.names
    : body.unit.namesOf(body.unit.program.find(body.frame.module, name) as VariableSymbol);
  body.assign(names, body.convert(v, type));
  return value(type, names);
}

function prefix(body: Body, node: ts.PrefixUnaryExpression, context: Type | undefined): Value {
  const { operator, operand } = node;
  if (operator === K.ExclamationToken) {
    const test = condition(body, node);
    return test === "true" || test === "false" ? integer(BOOL, test === "true" ? 1n : 0n) : truth(test);
  }
  if (operator === K.PlusPlusToken || operator === K.MinusMinusToken) {
    const before = compileExpression(body, operand, undefined);
    return assignTo(
      body,
      operand,
      arithmetic(body, operator === K.PlusPlusToken ? "+" : "-", before, integer(before.type, 1n)),
    );
  }
  if (operator === K.MinusToken && ts.isNumericLiteral(operand)) return literal(operand.getText(), true, context);
  const v = compileExpression(body, operand, context);
  if (operator === K.TildeToken) return arithmetic(body, "^", v, integer(v.type === BOOL ? I32 : v.type, -1n));
  if (operator === K.MinusToken) {
    if (v.type.kind === "float") return value(v.type, [`(-${v.parts[0]})`], v.stable);
    return arithmetic(body, "-", integer(v.type === BOOL ? I32 : v.type, 0n), v);
  }
  if (operator === K.PlusToken) return v;
  throw body.error("no rule for this prefix");
}

function binary(body: Body, node: ts.BinaryExpression, context: Type | undefined): Value {
  const op = node.operatorToken.kind;
  if (op === K.EqualsToken) {
    const name = node.left.getText();
    const symbol =
      body.find(name) ?? body.unit.variable(body.unit.program.find(body.frame.module, name) as VariableSymbol);
    return assignTo(body, node.left, compileExpression(body, node.right, symbol.type));
  }
  const compound = COMPOUND.get(op);
  if (compound !== undefined)
    return assignTo(body, node.left, operate(body, compound, node.left, node.right, undefined));
  if (op === K.AmpersandAmpersandToken || op === K.BarBarToken) {
    // Of operands that are no bools the value is one of them; a bool on the right of && is that as well as 0 is.
    const decisive = op === K.BarBarToken ? node.left : node.right;
    const { result } = body.nested(() => compileExpression(body, decisive, undefined));
    if (result.type !== BOOL && context !== BOOL && context !== VOID) return eitherOperand(body, node);
    const test = condition(body, node);
    return test === "true" || test === "false" ? integer(BOOL, test === "true" ? 1n : 0n) : truth(test);
  }
  return operate(body, op, node.left, node.right, context);
}

/** && or || as a value: the left operand, or the right one in its type. */
function eitherOperand(body: Body, node: ts.BinaryExpression): Value {
  const left = body.bind(compileExpression(body, node.left, undefined));
  const names = body.namesFor("$s", left.type);
  names.forEach((n, i) => body.emit(`let ${n} = ${left.parts[i]};`));
  const right = body.nested(() => body.convert(compileExpression(body, node.right, left.type), left.type));
  const takesRight =
    node.operatorToken.kind === K.BarBarToken ? `!${wrapped(body.truthy(left))}` : bare(body.truthy(left));
  body.emit(`if (${takesRight}) {`);
  body.lines.push(...right.lines);
  names.forEach((n, i) => body.emit(`${n} = ${bare(right.result.parts[i]!)};`));
  body.emit("}");
  return value(left.type, names, true);
}

function operate(body: Body, op: ts.SyntaxKind, l: ts.Expression, r: ts.Expression, context: Type | undefined): Value {
  const own = context === VOID || context === BOOL ? undefined : context;
  const shifts = SHIFTS.get(op);
  const comparison = COMPARISONS.get(op);
  const [left, right] = body.in(
    () => compileExpression(body, l, comparison ? undefined : own),
    ([before]) => compileExpression(body, r, before!.type === BOOL && comparison ? BOOL : before!.type),
  ) as [Value, Value];
  if (shifts) return shift(body, shifts, left, right);
  if (comparison) return compare(body, comparison, left, right);
  const operation = ARITHMETIC.get(op);
  if (!operation) throw body.error("no rule for this operator");
  return arithmetic(body, operation, left, right);
}

function conditional(body: Body, node: ts.ConditionalExpression, context: Type | undefined): Value {
  const own = context === VOID ? undefined : context;
  const test = condition(body, node.condition);
  if (test === "true") return compileExpression(body, node.whenTrue, own);
  if (test === "false") return compileExpression(body, node.whenFalse, own);
  const then = body.nested(() => compileExpression(body, node.whenTrue, own));
  const t = own && own !== BOOL ? own : then.result.type;
  const otherwise = body.nested(() => compileExpression(body, node.whenFalse, own ?? then.result.type));
  const type = own ?? wider(then.result.type, otherwise.result.type) ?? t;
  const a = body.nested(() => body.convert(then.result, type));
  const b = body.nested(() => body.convert(otherwise.result, type));
  const lines = [then.lines, a.lines, otherwise.lines, b.lines].some((list) => list.length > 0);
  if (!lines) {
    const chosen = a.result.parts.length > 1 && !P.isAtom(test) ? body.temporary(test) : test;
    const parts = a.result.parts.map((p, i) =>
      p === b.result.parts[i] && P.known(p) !== undefined ? p : `(${chosen} ? ${p} : ${b.result.parts[i]})`,
    );
    const align = Math.min(a.result.align, b.result.align);
    return {
      type,
      parts,
      stable: false,
      align,
      ...(type === BOOL ? { condition: `(${chosen} ? ${body.truthy(a.result)} : ${body.truthy(b.result)})` } : {}),
    };
  }
  if (type === VOID) {
    body.emit(`if (${bare(test)}) {`);
    body.lines.push(...then.lines, "} else {", ...otherwise.lines, "}");
    return a.result;
  }
  const names = body.namesFor("$s", type);
  body.emit(`let ${names.map((n) => `${n} = 0`).join(", ")};`);
  const assign = (v: Value): string[] => names.map((n, i) => `${n} = ${bare(v.parts[i]!)};`);
  body.emit(`if (${bare(test)}) {`);
  body.lines.push(...then.lines, ...a.lines, ...assign(a.result), "} else {");
  body.lines.push(...otherwise.lines, ...b.lines, ...assign(b.result), "}");
  const v = value(type, names, true);
  return type === BOOL ? { ...v, condition: `(${names[0]} !== 0)` } : v;
}

function wider(a: Type, b: Type): Type | undefined {
  if (a === b) return a;
  if (a.kind === "vector" || b.kind === "vector" || a.kind === "float" || b.kind === "float") return undefined;
  return b.size > a.size ? b : a;
}

/** Type arguments that a call leaves out: those of the arguments. */
function inferred(body: Body, symbol: FunctionSymbol, node: ts.CallExpression): Type[] {
  return (symbol.node.typeParameters ?? []).map((parameter) => {
    const i = symbol.node.parameters.findIndex((p) => p.type?.getText() === parameter.name.text);
    return body.nested(() => compileExpression(body, node.arguments[i]!, undefined)).result.type;
  });
}

function call(body: Body, node: ts.CallExpression, context: Type | undefined): Value {
  const name = node.expression.getText();
  let types = (node.typeArguments ?? []).map((t) => body.typeOf(t));
  const symbol = ts.isIdentifier(node.expression) ? body.unit.program.find(body.frame.module, name) : undefined;
  if (symbol?.kind === "function" && types.length === 0) types = inferred(body, symbol, node);
  if (symbol?.kind !== "function") return compileBuiltin(body, name, types, [...node.arguments], context);
  const generic = new Map((symbol.node.typeParameters ?? []).map((p, i) => [p.name.text, types[i]!]));
  const parameter = (i: number): Type => {
    const p = symbol.node.parameters[i];
    if (!p?.type) throw body.error(`${name} has no parameter ${i}`);
    const text = p.type.getText();
    return generic.get(text) ?? typeNamed(text) ?? I32;
  };
  const args = body.in(
    ...node.arguments.map((a, i) => () => body.convert(compileExpression(body, a, parameter(i)), parameter(i))),
  );
  return symbol.inline ? body.inline(symbol, generic, args) : body.call(symbol, types, args);
}
