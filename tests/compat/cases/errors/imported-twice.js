// A name is imported twice: exit code 107.
import http from 'k6/http';
import { check } from 'k6';
import http from 'k6/http';

export default function () {
  check(http, {});
}
