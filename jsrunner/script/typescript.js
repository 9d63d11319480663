// Translates TypeScript, in a process of its own (see typescript.py): types go, nothing is checked.
// @ts-check
import { entries } from 'jsrunner:host';
import ts from 'jsrunner:typescript';

const compilerOptions = {
  module: ts.ModuleKind.ESNext,
  newLine: ts.NewLineKind.LineFeed,
  sourceMap: true,
  target: ts.ScriptTarget.ESNext,
};

/** { code, mappings } with the mappings of a source map, or { error, line, column }. */
entries.translate = (text, fileName) => {
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(text, {
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
