// A generic client: learns the services of a server by reflection alone, and calls what it has learnt.
// Arguments: address, folder of the reflection service's definition, its version. Prints a line for each service, then the answers of two calls.
'use strict';
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [address, protoFolder, version] = process.argv.slice(2);
const options = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
const credentials = grpc.credentials.createInsecure();
const { ServerReflection } = grpc.loadPackageDefinition(
  loader.loadSync(`grpc/reflection/${version}/reflection.proto`, { ...options, includeDirs: [protoFolder] })).grpc.reflection[version];
const stream = new ServerReflection(address, credentials).ServerReflectionInfo();

const ask = request => new Promise((resolve, reject) => {
  stream.once('error', reject);
  stream.once('data', response => (response.error_response ? reject(new Error(response.error_response.error_message)) : resolve(response)));
  stream.write(request);
});

// A FileDescriptorSet is its files one after the other: field 1, length, bytes.
const varint = n => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);
const setOf = files => Buffer.concat(files.flatMap(file => [Buffer.from([0x0a, ...varint(file.length)]), file]));

const unary = (Service, method, request) => new Promise((resolve, reject) => {
  new Service(address, credentials)[method](request, (error, response) => (error ? reject(error) : resolve(response)));
});

(async () => {
  const services = (await ask({ list_services: '' })).list_services_response.service.map(service => service.name);
  const files = new Map();
  for (const service of services) {
    const { file_descriptor_proto: found } = (await ask({ file_containing_symbol: service })).file_descriptor_response;
    for (const file of found) files.set(file.toString('latin1'), file);
  }
  stream.end();

  const root = grpc.loadPackageDefinition(loader.loadFileDescriptorSetFromBuffer(setOf([...files.values()]), options));
  for (const name of services) {
    const Service = name.split('.').reduce((scope, part) => scope[part], root);
    console.log(`${name}: ${Object.keys(Service.service).join(' ')}`);
  }
  const health = await unary(root.grpc.health.v1.Health, 'Check', { service: '' });
  console.log(`health ${health.status}`);
  const answer = await unary(root.replicatedsqlite.v1.Query, 'Execute', { database: 'd', statements: [{ sql: 'SELECT 1' }] });
  console.log(`bookmark ${answer.bookmark}`);
  process.exit(0);
})().catch(error => { console.log(String(error && error.stack)); process.exit(1); });
