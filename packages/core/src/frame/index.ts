// Subpath @postern/core/frame: the relay's wire. The relay imports it, so nothing here may reach a cipher.
export { challengeBytes } from './challenge.ts'
export type { Frame, FrameSender, Frames, FrameType, GoneReason, RelayRefusal } from './frames.ts'
export {
  decodeFrame,
  encodeFrame,
  FRAMES,
  GONE_REASONS,
  goneReasonOf,
  MAX_AUTH_FRAME_BYTES,
  MAX_FRAME_BYTES,
  MAX_PAYLOAD_BYTES,
  RELAY_REFUSALS,
  relayRefusalOf,
  SEND_HEADER_BYTES,
} from './frames.ts'
export type { EndReason, Packet, PacketKind } from './packet.ts'
export {
  decodePacket,
  END_REASONS,
  encodeEnd,
  encodePacket,
  encodeSendPacket,
  endReasonOf,
  MAX_PACKET_CONTENT_BYTES,
  PACKET_HEADER_BYTES,
  PACKET_KINDS,
} from './packet.ts'
