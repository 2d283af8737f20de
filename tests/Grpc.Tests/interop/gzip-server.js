// UnaryCall and StreamingOutputCall with every answer in gzip, on Node's own HTTP/2: the server of grpc-js compresses nothing. Prints its port, and ends with its standard input.
// The headers of the response say how the last request came: `x-request-compressed` is its flag.
'use strict';
const http2 = require('http2');
const zlib = require('zlib');
const path = require('path');
const { TestService } = require('./service');

const frame = message => {
  const payload = zlib.gzipSync(message);
  const header = Buffer.from([1, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 1);
  return Buffer.concat([header, payload]);
};

const server = http2.createServer();
server.on('stream', (stream, headers) => {
  const method = TestService.service[path.basename(headers[':path'])];
  const parts = [];
  stream.on('data', part => parts.push(part));
  stream.on('end', () => {
    const body = Buffer.concat(parts);
    const payload = body.subarray(5);
    const request = method.requestDeserialize(body[0] ? zlib.gunzipSync(payload) : payload);
    const sizes = method.responseStream ? request.response_parameters.map(one => one.size) : [request.response_size];
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip', 'x-request-compressed': `${body[0]} ${headers['grpc-encoding']} ${headers['grpc-accept-encoding']}` },
      { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    for (const size of sizes) stream.write(frame(method.responseSerialize({ payload: { type: 0, body: Buffer.alloc(size) } })));
    stream.end();
  });
  stream.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
