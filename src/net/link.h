// Internal to net: one TCP connection, with or without TLS, on its loop. Bytes are pushed to the owner as they arrive
// and pulled from it when the socket takes more, so that what is produced in one batch leaves in as few TLS records and
// system calls as fit. An idle link holds no buffers. Thread: the loop's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/loop.h"
#include "net/tls.h"

typedef struct ssl_st SSL;
typedef struct bio_st BIO;

namespace net {

// No delay for small writes, and the kernel's own watch for peers that vanished: keepalive on idle connections, a limit
// on unacknowledged data and closed windows on busy ones. So no timer of ours runs for it.
void tune_socket(int fd, std::chrono::milliseconds stall_timeout);

class Link : public std::enable_shared_from_this<Link> {
 public:
  // What the link tells and asks. All calls on the loop; none after on_link_closed.
  class Owner {
   public:
    virtual ~Owner() = default;
    // The handshake is done; `protocol` is what ALPN chose ("" when nothing).
    virtual void on_link_open(std::string_view protocol) = 0;
    // Takes all the bytes. They live in scratch space of the loop.
    virtual void on_link_data(std::string_view bytes) = 0;
    // Appends up to about `target` bytes (one frame more is fine) to `out`; nothing when there is nothing to send.
    virtual void produce(std::string& out, size_t target) = 0;
    // All that was produced is in the kernel.
    virtual void on_link_flushed() = 0;
    // Once, for whatever reason, close() included. `why` is for logs and errors.
    virtual void on_link_closed(const std::string& why) = 0;
  };

  // Takes over the connected (or connecting: see connect_pending) non-blocking socket. `tls` null = plain.
  Link(std::shared_ptr<Loop> loop, int fd, std::shared_ptr<const TlsContext> tls);
  ~Link();

  // Keeps the owner alive until closed.
  void start(std::shared_ptr<Owner> owner);
  // The name that a client checks the server's certificate for. Before start().
  void set_server_name(const std::string& name);
  // Asks for produce() at the end of the running batch.
  void flush_later();
  void pause_reading() { reading_paused_ = true; }
  void resume_reading();
  // At once; what was not sent is lost.
  void close(const std::string& why);
  // After all that is produced has left: says goodbye, then reads and ignores what still comes for a moment, so that
  // the peer's unread bytes do not turn into a reset that destroys the answer under way.
  void close_when_flushed();
  bool closed() const { return closed_; }
  bool handshaking() const { return handshaking_; }
  SSL* ssl() const { return ssl_; }
  Loop& loop() const { return *loop_; }
  // Bytes that the kernel did not take yet.
  size_t unsent() const { return unsent_.size(); }
  int fd() const;

 private:
  friend struct LinkBio;
  enum class ReadOutcome { kMore, kBlocked, kEnded };

  void on_readable();
  ReadOutcome read_once();
  void wait_readable();
  bool continue_handshake();
  void reject_plain_http();
  void deliver_decrypted();
  void flush();
  std::string_view plain_output();
  std::string_view encrypt_output();
  void encrypt(std::string_view plain);
  // Sends or keeps `bytes`; false when the socket is full or the link closed.
  bool send_or_keep(std::string_view bytes);
  void on_writable();
  void finish_closing();

  std::shared_ptr<Loop> loop_;
  std::shared_ptr<const TlsContext> tls_;
  std::shared_ptr<Loop::Watch> watch_;
  std::shared_ptr<Owner> owner_;
  SSL* ssl_ = nullptr;
  std::string_view received_;  // ciphertext of the running read that OpenSSL has not taken yet
  std::string unsent_;
  TimerId linger_timer_ = 0;
  bool handshaking_ = false;
  bool opened_ = false;
  bool closed_ = false;
  bool closing_ = false;   // close_when_flushed was called
  bool draining_ = false;  // goodbye said; input is ignored
  bool reading_paused_ = false;
  bool wait_pending_ = false;
  bool flush_scheduled_ = false;
};

}  // namespace net
