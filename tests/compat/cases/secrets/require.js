// args: --secret-source=mock=default,key=abc123
// What CommonJS's require() has of the module: its default export by that name.
const secrets = require('k6/secrets');

exports.default = async () => {
  console.log(Object.keys(secrets), secrets.__esModule, typeof secrets.get, Object.keys(secrets.default));
  const key = await secrets.default.get('key');
  console.log(key, key.length);
};
