//! Length-prefixed bytes on a stream.

use bytes::Bytes;
use iroh::endpoint::{ReadExactError, RecvStream, SendStream, WriteError};
use thiserror::Error;

/// Bytes of the length in front of each frame.
pub(crate) const PREFIX: usize = 4;

/// Why no frame could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum FrameError {
    #[error("a frame of {len} bytes, at most {limit} are accepted here")]
    TooLong { len: usize, limit: usize },
    #[error("the stream ended within a frame")]
    Cut,
    #[error("the connection is gone")]
    Lost,
}

/// The next frame, `None` at the end of the stream.
pub(crate) async fn read_frame(
    stream: &mut RecvStream,
    limit: usize,
) -> Result<Option<Vec<u8>>, FrameError> {
    let mut prefix = [0; PREFIX];
    match stream.read_exact(&mut prefix).await {
        Ok(()) => {}
        Err(ReadExactError::FinishedEarly(0)) => return Ok(None),
        Err(ReadExactError::FinishedEarly(_)) => return Err(FrameError::Cut),
        Err(ReadExactError::ReadError(_)) => return Err(FrameError::Lost),
    }
    let len = u32::from_be_bytes(prefix) as usize;
    if len > limit {
        return Err(FrameError::TooLong { len, limit });
    }
    // Grows with what has arrived: a claimed length alone costs us nothing.
    let mut frame = Vec::new();
    while frame.len() < len {
        match stream.read_chunk(len - frame.len()).await {
            Ok(Some(chunk)) => frame.extend_from_slice(&chunk),
            Ok(None) => return Err(FrameError::Cut),
            Err(_) => return Err(FrameError::Lost),
        }
    }
    Ok(Some(frame))
}

/// Hands a frame of at most 4 GiB to the connection. An error means that the peer cannot have received all of it.
pub(crate) async fn write_frame(stream: &mut SendStream, frame: Bytes) -> Result<(), WriteError> {
    let len = u32::try_from(frame.len()).expect("limits keep frames below 4 GiB");
    let prefix = Bytes::copy_from_slice(&len.to_be_bytes());
    stream.write_all_chunks(&mut [prefix, frame]).await
}
