export { decodeCursor, encodeCursor, type LiveCursor } from '../../domain/live/cursor.ts';
