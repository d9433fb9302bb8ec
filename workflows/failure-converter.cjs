// Loaded by path, in the sandbox of workflows and outside of it, and only where payloads are encrypted: messages and stacks of failures are put into
// a payload, which the codec encrypts. By default they stand in the history in plain text.
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
