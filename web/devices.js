// The choice among the microphones or the loudspeakers of the user's machine.

export const DEFAULT = "System default";

/** Keep `select` filled with the devices of this kind, "audioinput" or "audiooutput". The chosen one stays
 * chosen while it is unplugged. */
export function offerDevices(select, kind, chosen) {
  const fill = async () => {
    const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    const wanted = select.options.length ? select.value : chosen;
    // without permission the browser tells neither names nor ids
    const known = all.filter((one) => one.kind === kind && one.deviceId && one.deviceId !== "default");
    const options = known.map(({ deviceId, label }, at) => new Option(label || `Device ${at + 1}`, deviceId));
    if (wanted && !known.some(({ deviceId }) => deviceId === wanted)) {
      options.push(new Option(known.length ? "Chosen before, not plugged in" : "Chosen before", wanted));
    }
    select.replaceChildren(new Option(DEFAULT, ""), ...options);
    select.value = wanted;
  };
  navigator.mediaDevices?.addEventListener?.("devicechange", fill);
  fill();
  return fill;
}
