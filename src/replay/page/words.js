// Small words: elements, figures, and text that is somebody else's. All strings of the session reach
// the page through textContent, never as markup.

const byId = (id) => document.getElementById(id);

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// Control characters, line separators and bidirectional controls as they are told elsewhere: \u001b.
const harmful = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const harmfulInLine = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const asEscape = (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0");
const harmless = (text) => text.replace(harmful, asEscape);
const harmlessLine = (text) => text.replace(harmfulInLine, asEscape);

const two = (number) => String(number).padStart(2, "0");

// Microseconds: «0.4s», «6m12s».
function durationWords(micros) {
  if (!(micros > 0)) return "0";
  if (micros < 1e5) return Math.ceil(micros / 1000) + "ms";
  const seconds = Math.floor(micros / 1e6);
  if (seconds < 100) return (micros / 1e6).toFixed(1) + "s";
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  if (seconds < 360000) return `${Math.floor(seconds / 3600)}h${two(Math.floor(seconds / 60) % 60)}m`;
  return `${Math.floor(seconds / 86400)}d${two(Math.floor(seconds / 3600) % 24)}h`;
}

// Microseconds since the session's begin: «01:02.1».
function clockWords(micros) {
  const sign = micros < 0 ? "-" : "";
  const tenths = Math.floor(Math.abs(micros) / 1e5);
  const seconds = Math.floor(tenths / 10);
  const minutes = two(Math.floor(seconds / 60) % 60);
  if (seconds < 3600) return `${sign}${minutes}:${two(seconds % 60)}.${tenths % 10}`;
  if (seconds < 360000) return `${sign}${Math.floor(seconds / 3600)}:${minutes}:${two(seconds % 60)}`;
  return `${sign}${Math.floor(seconds / 86400)}d${two(Math.floor(seconds / 3600) % 24)}h`;
}

// Without a currency.
function moneyWords(usd) {
  if (usd === null || Number.isNaN(usd)) return "-";
  const size = Math.abs(usd);
  if (size < 0.00005) return size === 0 ? "0" : "<.0001";
  if (size < 0.01) return usd.toFixed(4);
  if (size < 1) return usd.toFixed(3);
  if (size < 1000) return usd.toFixed(2);
  return usd.toFixed(0);
}

// Sums of many small amounts come out as 1e-17 where nothing is left.
function dollars(usd) {
  const size = Math.abs(usd) < 1e-9 ? 0 : Math.abs(usd);
  return (usd < 0 && size ? "−$" : "$") + moneyWords(size).replace(/(\.\d\d)0$/, "$1");
}
const countWords = (count) => String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const shortCount = (count) => count < 10000 ? countWords(count) : count < 1e6 ? (count / 1e3).toFixed(count < 1e5 ? 1 : 0) + "k" : (count / 1e6).toFixed(1) + "M";
const bytesWords = (bytes) => bytes < 1024 ? `${bytes} bytes` : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
const many = (count, one, more = one + "s") => `${countWords(count)} ${count === 1 ? one : more}`;
const shortHash = (hash) => hash.slice(hash.indexOf(":") + 1).slice(0, 4);

const storyDate = (micros) => new Date(micros / 1000).toISOString().replace("T", " ").replace("Z", " UTC");

function hexOf(bytes) {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// Copies, also from a file: and in browsers that hide the clipboard there.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", "unseen");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
