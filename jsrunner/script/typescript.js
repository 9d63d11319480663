// Translates TypeScript in a process of its own (see typescript.py). Types are removed and not checked.
// @ts-check
import { publish } from 'jsrunner:core';
import ts from 'jsrunner:typescript';

const compilerOptions = {
  module: ts.ModuleKind.ESNext,
  newLine: ts.NewLineKind.LineFeed,
  sourceMap: true,
  target: ts.ScriptTarget.ESNext,
};

const entries = { __proto__: null };
publish(entries, (kind, text) => new Error(text));

/** Matches a module that may have TypeScript's own statements for CommonJS. */
const MAYBE_COMMONJS = /\bimport\s+[\w$]+\s*=\s*require\b|\bexport\s*=/;

/**
 * Return the text with `import name = require(...)` and `export = value` replaced by JavaScript. The compiler would
 * drop them, or, if it translated the whole module to CommonJS, call require() for ES modules, too.
 */
const withoutAssignments = (text, fileName) => {
  if (!MAYBE_COMMONJS.test(text)) return text;
  let result = text;
  const { statements } = ts.createSourceFile(fileName, text, ts.ScriptTarget.ESNext);
  for (const statement of [...statements].reverse()) {
    const start = ts.skipTrivia(text, statement.pos);
    let changed = text.slice(start, statement.end);
    if (ts.isImportEqualsDeclaration(statement) && !statement.isTypeOnly
      && ts.isExternalModuleReference(statement.moduleReference)) {
      changed = changed.replace(/^import\b/, 'const');
    } else if (ts.isExportAssignment(statement) && statement.isExportEquals) {
      changed = changed.replace(/^export\b/, 'module.exports');
    }
    result = result.slice(0, start) + changed + result.slice(statement.end);
  }
  return result;
};

/** Translate a module. Return { code, mappings of a source map } or { error, line, column }. */
entries.translate = (text, fileName) => {
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(withoutAssignments(text, fileName), {
    compilerOptions, fileName, reportDiagnostics: true,
  });
  const wrong = diagnostics.find(({ category }) => category === ts.DiagnosticCategory.Error);
  if (wrong) {
    const { line, character } = ts.getLineAndCharacterOfPosition(wrong.file, wrong.start);
    return { error: ts.flattenDiagnosticMessageText(wrong.messageText, ' '), line: line + 1, column: character + 1 };
  }
  return {
    code: outputText.replace(/\/\/# sourceMappingURL=.*\n?$/, ''),
    mappings: JSON.parse(sourceMapText).mappings,
  };
};
