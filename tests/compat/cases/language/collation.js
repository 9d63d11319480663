// localeCompare: Unicode's order of letters, accents, case, punctuation and symbols; locales and options do not count.
const words = ['Ab', 'ab', 'aB', 'AB', 'a b', 'a-b', 'a_b', 'ab1', 'ab10', 'ab2', 'äb', 'Äb', 'ac', 'résumé', 'resume', 'Resume', 'résume',
  'coop', 'co-op', 'CO-OP', 'co op', '', '1', '10', '2', '#a', '@a', 'ß', 'ss', 'SS', 'sz', 'æ', 'ae', 'AE', 'af', 'œ', 'ø', 'o', 'p', 'Ł', 'l', 'm',
  'α', 'Ω', 'ω', 'б', 'я', 'й', 'и', '中', '日', 'あ', 'ア', '😀', '€', '…', '“x”', '—', 'ﬁ', 'fi', 'ª', 'ı', 'i', 'đ', 'ð', 'þ', 'z', '~', '$', 'user_1', 'user-1',
  'User1', 'user1', 'user 1', 'a.b', 'a,b', 'a/b', '(a)', '[a]'];

export default function () {
  console.log(JSON.stringify([...words].sort((a, b) => a.localeCompare(b))));
  console.log(JSON.stringify([...words].reverse().sort((a, b) => b.localeCompare(a))));
  console.log('a'.localeCompare('á'), 'a\u0301'.localeCompare('á'), 'a'.localeCompare('A'), 'A'.localeCompare('a'), 'a\u00adb'.localeCompare('ab'));
  console.log('a'.localeCompare('B', 'en', { sensitivity: 'base' }), '10'.localeCompare('2', undefined, { numeric: true }), 'a'.localeCompare('b', '!!'));
  console.log('undefined'.localeCompare(), 'null'.localeCompare(null), String.prototype.localeCompare.call(5, '5'), ''.localeCompare.length);
  console.log(words.filter((word) => word.localeCompare('m') < 0).length, words.map((word) => word.localeCompare('o')).join(''));
}
