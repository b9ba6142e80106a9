import { randomUUID } from 'node:crypto';

/** Where a recording's file is, as Event Grid tells it. */
export interface FileLocations {
  documentId: string;
  contentLocation: string;
  metadataLocation: string;
  deleteLocation: string;
}

/** A WAV file, and what is known of it. */
interface RecordingFile {
  content: Buffer;
  metadata: object;
}

/** The storage from which recordings are downloaded. */
export interface RecordingFiles {
  add(file: RecordingFile): FileLocations;
  find(documentId: string): RecordingFile | undefined;
  /** False where there was none. */
  delete(documentId: string): boolean;
}

/** A host of the domain that the SDKs send credentials to for a recording, and to no other. There is none such. */
const HOST = 'https://simulator.asm.skype.com';

/**
 * @param options.resourceId the resource's immutable id
 * @param options.maxBytes of all files together; the oldest go first, but never the latest
 */
export function createRecordingFiles({
  resourceId,
  maxBytes = 256 * 1024 * 1024,
}: {
  resourceId: string;
  maxBytes?: number;
}): RecordingFiles {
  const files = new Map<string, RecordingFile>();

  function makeRoom() {
    let bytes = 0;
    for (const { content } of files.values()) bytes += content.length;
    for (const [documentId, { content }] of files) {
      if (bytes <= maxBytes || files.size === 1) return;
      files.delete(documentId);
      bytes -= content.length;
    }
  }

  return {
    add({ content, metadata }) {
      const documentId = `0-local-d1-${randomUUID().replaceAll('-', '')}`;
      files.set(documentId, { content, metadata: { resourceId, chunkDocumentId: documentId, ...metadata } });
      makeRoom();
      const deleteLocation = `${HOST}/v1/objects/${documentId}`;
      return {
        documentId,
        contentLocation: `${deleteLocation}/content/audio`,
        metadataLocation: `${deleteLocation}/content/acsmetadata`,
        deleteLocation,
      };
    },
    find: (documentId) => files.get(documentId),
    delete: (documentId) => files.delete(documentId),
  };
}
