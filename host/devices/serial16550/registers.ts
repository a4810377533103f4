// Register map of the PC16550D UART (National Semiconductor data sheet, section 8).

/** Ports a UART occupies. */
export const SERIAL_PORTS = 8;

// Offsets. With LCR.DLAB set, 0 and 1 are the divisor latch.
export const RBR_THR = 0;
export const IER = 1;
export const IIR_FCR = 2;
export const LCR = 3;
export const MCR = 4;
export const LSR = 5;
export const MSR = 6;
export const SCR = 7;

export const IER_RECEIVED_DATA = 0x01;
export const IER_THR_EMPTY = 0x02;
export const IER_LINE_STATUS = 0x04;
export const IER_MODEM_STATUS = 0x08;

export const IIR_NONE = 0x01;
export const IIR_MODEM_STATUS = 0x00;
export const IIR_THR_EMPTY = 0x02;
export const IIR_RECEIVED_DATA = 0x04;
export const IIR_LINE_STATUS = 0x06;
export const IIR_CHARACTER_TIMEOUT = 0x0c;
export const IIR_FIFOS_ENABLED = 0xc0;

export const FCR_ENABLE = 0x01;
export const FCR_CLEAR_RECEIVE = 0x02;
export const FCR_CLEAR_TRANSMIT = 0x04;

export const LCR_DLAB = 0x80;

export const MCR_DTR = 0x01;
export const MCR_RTS = 0x02;
export const MCR_OUT1 = 0x04;
export const MCR_OUT2 = 0x08;
export const MCR_LOOPBACK = 0x10;

export const LSR_DATA_READY = 0x01;
export const LSR_OVERRUN = 0x02;
export const LSR_BREAK = 0x10;
export const LSR_THR_EMPTY = 0x20;
export const LSR_TRANSMITTER_EMPTY = 0x40;
/** What raises the receiver line status interrupt. */
export const LSR_ERRORS = 0x1e;

export const MSR_CTS = 0x10;
export const MSR_DSR = 0x20;
export const MSR_RI = 0x40;
export const MSR_DCD = 0x80;
export const MSR_TRAILING_EDGE_RI = 0x04;
export const MSR_DELTAS = 0x0f;

/** Bytes in the receive FIFO. */
export const FIFO_SIZE = 16;
/** Receive trigger levels by FCR bits 6-7. */
export const TRIGGER_LEVELS = [1, 4, 8, 14] as const;
/** Input clock divided by 16: baud rate at divisor 1. */
export const BASE_BAUD = 115200;
