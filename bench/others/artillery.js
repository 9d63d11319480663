/** Close with a status: Artillery's own close frame has none, and the server of the benchmark answers that one wrongly. */
module.exports = {
  close(context, events, next) {
    context.ws.close(1000);
    next();
  },
};
