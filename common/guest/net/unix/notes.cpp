// UnixNote: what goes with a message of a local socket. Made by the sender, given to the receiver.
#include "guest/net/unix/unix_socket.h"

namespace guest {

Result<UnixNote*> UnixNote::make(Outgoing& how, bool with_rights, bool with_sender) {
  auto* note = new (std::nothrow) UnixNote;
  if (!note) return Errno::nobufs;
  if (how.control.has_sender)
    note->sender = how.control.sender;
  else if (with_sender)
    note->sender = own_credentials();
  if (with_rights && how.control.rights) {
    note->rights = how.control.rights;
    in_flight.enter(*note->rights);
  }
  return note;
}

void UnixNote::give(Incoming& how) {
  how.control.sender = sender;
  how.control.has_sender = true;
  if (!rights) return;
  if (how.flags & abi::msg_peek) {
    how.control.rights = rights;
    return;
  }
  in_flight.leave(*rights);
  how.control.rights = std::move(rights);
}

void each_rights_in(Flow& flow, RightsHolder::Visitor& visitor) {
  for (FlowNote* note = flow.first_note(); note; note = flow.next_note(*note))
    if (auto& rights = static_cast<UnixNote*>(note)->rights) visitor.visit(*rights);
}

void give_up_rights_in(Flow& flow) {
  for (FlowNote* note = flow.first_note(); note; note = flow.next_note(*note))
    static_cast<UnixNote*>(note)->rights.reset();
}

}  // namespace guest
