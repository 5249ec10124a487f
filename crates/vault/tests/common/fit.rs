//! Recordings of our own making, for tests and benchmarks.

/// A FIT recording of these messages: with its header and its checksum.
pub fn framed(data: &[u8]) -> Vec<u8> {
    let mut file = vec![12, 0x10, 0, 0];
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(b".FIT");
    file.extend_from_slice(data);
    let checksum = file.iter().fold(0u16, |mut sum, byte| {
        for bit in 0..8 {
            let odd = (sum ^ u16::from(byte >> bit)) & 1 == 1;
            sum = (sum >> 1) ^ if odd { 0xa001 } else { 0 };
        }
        sum
    });
    file.extend(checksum.to_le_bytes());
    file
}
