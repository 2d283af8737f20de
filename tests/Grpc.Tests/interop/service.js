// Loads the interoperability service's description.
'use strict';
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const description = loader.loadSync(path.join(__dirname, 'test.proto'), { keepCase: true, longs: Number, enums: Number, defaults: true });
module.exports = grpc.loadPackageDefinition(description).grpc.testing;
