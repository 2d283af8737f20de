// The interoperability service on grpc-js. Prints its port, and ends with its standard input.
'use strict';
const grpc = require('@grpc/grpc-js');
const { TestService } = require('./service');

const echoInitial = 'x-grpc-test-echo-initial';
const echoTrailing = 'x-grpc-test-echo-trailing-bin';
const payload = size => ({ type: 0, body: Buffer.alloc(size) });
const failureOf = status => (status && status.code ? { code: status.code, details: status.message } : null);

function echo(call) {
  const initial = call.metadata.get(echoInitial);
  if (initial.length) {
    const headers = new grpc.Metadata();
    headers.add(echoInitial, initial[0]);
    call.sendMetadata(headers);
  }
  const trailers = new grpc.Metadata();
  for (const value of call.metadata.get(echoTrailing)) trailers.add(echoTrailing, value);
  return trailers;
}

async function answer(call, request) {
  for (const parameters of request.response_parameters) {
    if (parameters.interval_us) await new Promise(done => setTimeout(done, parameters.interval_us / 1000));
    if (call.cancelled) return;
    call.write({ payload: payload(parameters.size) });
  }
}

const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
server.addService(TestService.service, {
  EmptyCall: (call, callback) => callback(null, {}),
  UnaryCall(call, callback) {
    const trailers = echo(call);
    const failure = failureOf(call.request.response_status);
    if (failure) callback({ ...failure, metadata: trailers });
    else callback(null, { payload: payload(call.request.response_size) }, trailers);
  },
  async StreamingOutputCall(call) {
    await answer(call, call.request);
    call.end();
  },
  StreamingInputCall(call, callback) {
    let sum = 0;
    call.on('data', request => { sum += request.payload.body.length; });
    call.on('end', () => callback(null, { aggregated_payload_size: sum }));
    call.on('error', () => {});
  },
  FullDuplexCall(call) {
    const trailers = echo(call);
    let last = Promise.resolve();
    call.on('data', request => {
      const failure = failureOf(request.response_status);
      if (failure) call.emit('error', failure);
      else last = last.then(() => answer(call, request));
    });
    call.on('end', () => last.then(() => call.end(trailers)));
    call.on('error', () => {});
  },
});

server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
process.stdin.on('end', () => process.exit(0)).resume();
