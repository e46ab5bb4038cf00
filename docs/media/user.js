// A user for the page, in place of the microphone: waits for the answer, and cuts in on it.

const context = new AudioContext({ sampleRate: 48000 });
const microphone = context.createMediaStreamDestination();
navigator.mediaDevices.getUserMedia = async () => microphone.stream;

/** Wait until the page shows this state. */
async function until(state) {
  while (!document.querySelector(`#state[data-state=${state}]`)) await new Promise(requestAnimationFrame);
}

/** Say a recording, which is a WAV file in base64. */
async function say(recording) {
  const bytes = Uint8Array.from(atob(recording), (letter) => letter.charCodeAt(0));
  const buffer = await context.decodeAudioData(bytes.buffer);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(microphone);
  source.start();
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ask a question, listen to the answer for some milliseconds, then ask another, and hear its answer to the end. */
window.talk = async ([question, interruption, listens]) => {
  await until("listening");
  await pause(500);
  await say(question);
  await until("speaking");
  await pause(listens);
  await say(interruption);
  for (const state of ["hearing", "speaking", "listening"]) await until(state);
};
