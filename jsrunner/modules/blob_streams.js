// jsrunner:blob_streams — provides ReadableStream for Blob.stream(). The first call of stream() loads it.
// @ts-check
import { entries } from 'jsrunner:host';
import { ReadableStream } from 'jsrunner:streams/readable';

entries.provideStreams(ReadableStream);
