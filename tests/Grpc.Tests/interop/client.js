// Runs the interoperability cases with a grpc-js client. Arguments: address, then the cases. Prints a line a case: its name and `ok` or what went wrong.
'use strict';
const assert = require('assert');
const grpc = require('@grpc/grpc-js');
const { TestService, UnimplementedService } = require('./service');

const [address, ...wanted] = process.argv.slice(2);
const credentials = grpc.credentials.createInsecure();
const options = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
const client = new TestService(address, credentials, options);
const payload = size => ({ type: 0, body: Buffer.alloc(size) });
const specialMessage = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';

const unary = (method, request, metadata = new grpc.Metadata(), target = client) => new Promise((resolve, reject) => {
  const seen = {};
  const call = target[method](request, metadata, (error, response) => (error ? reject(error) : resolve({ ...seen, response })));
  call.on('metadata', headers => { seen.headers = headers; });
  call.on('status', status => { seen.status = status; });
});

const ended = call => new Promise(resolve => {
  const seen = { sizes: [] };
  call.on('metadata', headers => { seen.headers = headers; });
  call.on('data', response => seen.sizes.push(response.payload.body.length));
  call.on('error', error => { seen.error = error; });
  call.on('status', status => setImmediate(() => resolve({ ...seen, status })));
});

const failure = async promise => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the call succeeded');
};

const cases = {
  async empty_unary() {
    assert.deepStrictEqual((await unary('EmptyCall', {})).response, {});
  },
  async large_unary() {
    const { response } = await unary('UnaryCall', { response_size: 314159, payload: payload(271828) });
    assert.strictEqual(response.payload.body.length, 314159);
  },
  async client_streaming() {
    const sum = await new Promise((resolve, reject) => {
      const call = client.StreamingInputCall((error, response) => (error ? reject(error) : resolve(response.aggregated_payload_size)));
      for (const size of [27182, 8, 1828, 45904]) call.write({ payload: payload(size) });
      call.end();
    });
    assert.strictEqual(sum, 74922);
  },
  async server_streaming() {
    const sizes = [31415, 9, 2653, 58979];
    const seen = await ended(client.StreamingOutputCall({ response_parameters: sizes.map(size => ({ size })) }));
    assert.deepStrictEqual(seen.sizes, sizes);
    assert.strictEqual(seen.status.code, 0);
  },
  async ping_pong() {
    const rounds = [[27182, 31415], [8, 9], [1828, 2653], [45904, 58979]];
    const call = client.FullDuplexCall();
    let round = 0;
    const next = () => {
      if (round === rounds.length) return call.end();
      return call.write({ response_parameters: [{ size: rounds[round][1] }], payload: payload(rounds[round][0]) });
    };
    call.on('data', () => { round += 1; next(); });
    next();
    const seen = await ended(call);
    assert.deepStrictEqual(seen.sizes, rounds.map(sizes => sizes[1]));
    assert.strictEqual(seen.status.code, 0);
  },
  async empty_stream() {
    const call = client.FullDuplexCall();
    call.end();
    const seen = await ended(call);
    assert.deepStrictEqual([seen.sizes, seen.status.code], [[], 0]);
  },
  async cancel_after_begin() {
    const error = await failure(new Promise((resolve, reject) => {
      client.StreamingInputCall((e, response) => (e ? reject(e) : resolve(response))).cancel();
    }));
    assert.strictEqual(error.code, grpc.status.CANCELLED);
  },
  async cancel_after_first_response() {
    const call = client.FullDuplexCall();
    call.write({ response_parameters: [{ size: 31415 }], payload: payload(27182) });
    call.on('data', () => call.cancel());
    assert.strictEqual((await ended(call)).status.code, grpc.status.CANCELLED);
  },
  async timeout_on_sleeping_server() {
    const call = client.FullDuplexCall({ deadline: Date.now() + 20 });
    call.on('error', () => {});
    call.write({ response_parameters: [{ size: 1, interval_us: 5000000 }], payload: payload(27182) });
    assert.strictEqual((await ended(call)).status.code, grpc.status.DEADLINE_EXCEEDED);
  },
  async custom_metadata() {
    const metadata = new grpc.Metadata();
    metadata.add('x-grpc-test-echo-initial', 'test_initial_metadata_value');
    metadata.add('x-grpc-test-echo-trailing-bin', Buffer.from('ababab', 'hex'));
    const call = client.FullDuplexCall(metadata);
    call.write({ response_parameters: [{ size: 314159 }], payload: payload(271828) });
    call.end();
    const seen = await ended(call);
    assert.deepStrictEqual(seen.headers.get('x-grpc-test-echo-initial'), ['test_initial_metadata_value']);
    assert.deepStrictEqual(seen.status.metadata.get('x-grpc-test-echo-trailing-bin'), [Buffer.from('ababab', 'hex')]);

    const headers = await new Promise((resolve, reject) => {
      const unaryCall = client.UnaryCall({ response_size: 314159, payload: payload(271828) }, metadata, error => error && reject(error));
      unaryCall.on('metadata', value => unaryCall.on('status', status => resolve([value, status.metadata])));
    });
    assert.deepStrictEqual(headers[0].get('x-grpc-test-echo-initial'), ['test_initial_metadata_value']);
    assert.deepStrictEqual(headers[1].get('x-grpc-test-echo-trailing-bin'), [Buffer.from('ababab', 'hex')]);
  },
  async status_code_and_message() {
    const response_status = { code: 2, message: 'test status message' };
    const error = await failure(unary('UnaryCall', { response_status }));
    assert.deepStrictEqual([error.code, error.details], [2, 'test status message']);
    const call = client.FullDuplexCall();
    call.write({ response_status });
    call.end();
    const { status } = await ended(call);
    assert.deepStrictEqual([status.code, status.details], [2, 'test status message']);
  },
  async special_status_message() {
    const error = await failure(unary('UnaryCall', { response_status: { code: 2, message: specialMessage } }));
    assert.deepStrictEqual([error.code, error.details], [2, specialMessage]);
  },
  async unimplemented_method() {
    assert.strictEqual((await failure(unary('UnimplementedCall', {}))).code, grpc.status.UNIMPLEMENTED);
  },
  async unimplemented_service() {
    const other = new UnimplementedService(address, credentials);
    assert.strictEqual((await failure(unary('UnimplementedCall', {}, undefined, other))).code, grpc.status.UNIMPLEMENTED);
    other.close();
  },
  async compressed_both_ways() {
    const gzip = new TestService(address, credentials, { ...options, 'grpc.default_compression_algorithm': 2 });
    const { response } = await unary('UnaryCall', { response_size: 314159, payload: payload(271828) }, undefined, gzip);
    assert.strictEqual(response.payload.body.length, 314159);
    gzip.close();
  },
};

(async () => {
  for (const name of wanted.length ? wanted : Object.keys(cases)) {
    let timer;
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('no end within 10 s')), 10000); });
    try {
      await Promise.race([cases[name](), late]);
      console.log(`${name} ok`);
    } catch (error) {
      console.log(`${name} failed: ${String(error && error.message).replace(/\s+/g, ' ')}`);
    }
    clearTimeout(timer);
  }
  client.close();
  process.exit(0);
})();
