// Kept to syntax that old versions of Node can read: bin/halomesh.js and the set-up load this file first.

/** One sentence when this Node is older than 20.19, else null. */
export function nodeTooOld(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return null;
  return `Node 20.19 or newer is needed and this is Node ${version}: install a newer one (https://nodejs.org) and run the same command again.`;
}
