// Preloaded into the suite's server (node --import): it listens on every interface, and this keeps it on the loopback.

import net from 'node:net'

const listen = net.Server.prototype.listen

net.Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, { port: Number(port), host: '127.0.0.1' }, ...rest)
}
