/**
 * Markdown extension for formulas: `$…$` in a line, `$$…$$` on lines of their own.
 *
 * The server writes LaTeX and escapes other dollar signs (`reading/output/latex.py` has the rule). Without the
 * extension, marks in a formula would count as Markdown: `x^*y^*` as emphasis.
 */

import type { Literal } from "mdast";
import type { Extension as MdastExtension } from "mdast-util-from-markdown";
import type { Code, Effects, Extension, State, TokenizeContext } from "micromark-util-types";

export interface Formula extends Literal {
  type: "formula";
  isDisplayed: boolean;
}

declare module "mdast" {
  interface PhrasingContentMap {
    formula: Formula;
  }
  interface RootContentMap {
    formula: Formula;
  }
}

declare module "micromark-util-types" {
  interface TokenTypeMap {
    formula: "formula";
  }
}

const DOLLAR = 36;
const BACKSLASH = 92;
const WORD = /[\p{L}\p{N}_]/u;

export const formulaSyntax: Extension = { text: { [DOLLAR]: { name: "formula", tokenize } } };

export const formulaFromMarkdown: MdastExtension = {
  enter: {
    formula(token) {
      const source = this.sliceSerialize(token);
      const isDisplayed = source.startsWith("$$");
      const value = isDisplayed ? source.slice(2, -2).trim() : source.slice(1, -1);
      this.enter({ type: "formula", value, isDisplayed }, token);
    },
  },
  exit: {
    formula(token) {
      this.exit(token);
    },
  },
};

function tokenize(this: TokenizeContext, effects: Effects, ok: State, nok: State): State {
  const before = this.previous;
  let isDisplayed = false;
  let isEmpty = true;
  let last: Code = null;

  return open;

  function open(code: Code): State | undefined {
    effects.enter("formula");
    effects.consume(code);
    return afterOpening;
  }

  function afterOpening(code: Code): State | undefined {
    if (code === DOLLAR) {
      isDisplayed = true;
      effects.consume(code);
      return content;
    }
    return isWord(before) || before === DOLLAR || isSpace(code) ? nok(code) : content(code);
  }

  function content(code: Code): State | undefined {
    if (code === null) return nok(code);
    if (isLineEnding(code)) return isDisplayed ? lineEnding(code) : nok(code);
    if (code === DOLLAR) {
      if (isEmpty || (!isDisplayed && isSpace(last))) return nok(code);
      effects.consume(code);
      return isDisplayed ? secondClosing : end;
    }
    isEmpty = false;
    last = code;
    effects.consume(code);
    return code === BACKSLASH ? escaped : content;
  }

  function escaped(code: Code): State | undefined {
    if (code === null || code < 0) return content(code);
    last = code;
    effects.consume(code);
    return content;
  }

  function lineEnding(code: Code): State {
    effects.enter("lineEnding");
    effects.consume(code);
    effects.exit("lineEnding");
    return content;
  }

  function secondClosing(code: Code): State | undefined {
    if (code !== DOLLAR) return nok(code);
    effects.consume(code);
    effects.exit("formula");
    return ok;
  }

  function end(code: Code): State | undefined {
    if (isWord(code) || code === DOLLAR) return nok(code);
    effects.exit("formula");
    return ok(code);
  }
}

/** Micromark's codes of line endings: -5 is CR, -4 LF, -3 both. */
function isLineEnding(code: Code): boolean {
  return code !== null && code <= -3;
}

function isSpace(code: Code): boolean {
  return code === null || code < 0 || code === 32;
}

function isWord(code: Code): boolean {
  return code !== null && code > 0 && WORD.test(String.fromCodePoint(code));
}
