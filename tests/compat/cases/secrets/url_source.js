// args: --secret-source=url=name=text,urlTemplate={HTTP_URL}/reply?{key},maxRetries=0 --secret-source=url=name=json,urlTemplate={HTTP_URL}/reply?body={key},maxRetries=0,responsePath=a.b --secret-source=url=name=nobody,urlTemplate=http://127.0.0.1:1/{key},maxRetries=0
// Secrets from an HTTP endpoint: whole answers, parts of JSON, and what is no secret.
import secrets from 'k6/secrets';

const tell = async (name, key) => {
  try {
    const secret = await secrets.source(name).get(key);
    console.log(name, key, secret.length, secret);
  } catch (e) {
    console.log(name, key, String(e));
  }
};

export default async function () {
  await tell('text', 'body=hush-hush');
  await tell('text', 'status=404');
  await tell('text', 'status=201');
  await tell('json', '{"a":{"b":"deep"}}');
  await tell('json', '{"a":{"b":5}}');
  await tell('json', '{"a":{"b":{}}}');
  await tell('json', '{"a":{"b":null}}');
  await tell('json', '{"a":1}');
  await tell('json', 'nonsense');
  await tell('nobody', 'key');
}
