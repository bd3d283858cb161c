"""The live stream of an account.

`stream_session` opens, subscribes and replaces the stream; each one is a `stream` (one SignalR connection) on a
`channel` (its websocket, with limits on all that is read). `stall_detector` finds a stream that is open and silent.
"""
