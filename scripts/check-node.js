// Runs before each script, so it is plain JavaScript that any Node can read: the project itself needs a Node
// that runs TypeScript and can tell an upgrade from a request (24.12 or later).
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  console.error(
    `Callgate needs Node 24.12 or later and this is ${process.version}: run "npm ci" without --omit=optional (it brings Node 24 along), or install Node 24 from https://nodejs.org.`,
  );
  process.exit(1);
}
