// jsrunner:blob_streams — gives Blob.stream() its ReadableStream; loaded when a script first calls it.
// @ts-check
import { entries } from 'jsrunner:host';
import { ReadableStream } from 'jsrunner:streams/readable';

entries.provideStreams(ReadableStream);
