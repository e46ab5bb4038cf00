// Names of languages, and a sentence of each by which a voice can be judged.

/** The name of a language of this code, in words of the language `tag`; `otherwise` where it is unknown. */
function nameIn(tag, code, otherwise) {
  try {
    return new Intl.DisplayNames([tag], { type: "language", fallback: "none" }).of(code) ?? otherwise;
  } catch {
    return otherwise; // not a code that the browser knows
  }
}

/** The name of a language in that language, and in English where that differs: "తెలుగు (Telugu)". */
export function named(code, otherwise) {
  const english = nameIn("en", code, otherwise);
  const own = nameIn(code, code, english);
  const begun = own.charAt(0).toLocaleUpperCase() + own.slice(1);
  return begun === english ? begun : `${begun} (${english})`;
}

/** The languages that the user's browser asks for, best first: ["te", "en"]. */
export const preferred = [...new Set(navigator.languages.map((tag) => tag.split("-")[0].toLowerCase()))];

const SAMPLES = {
  de: "Hallo! So klingt diese Stimme.",
  en: "Hello! This is how this voice sounds.",
  es: "¡Hola! Así suena esta voz.",
  fr: "Bonjour ! Voici cette voix.",
  hi: "नमस्ते! यह आवाज़ ऐसी है।",
  it: "Ciao! Questa voce suona così.",
  nl: "Hallo! Zo klinkt deze stem.",
  pt: "Olá! É assim que soa esta voz.",
  te: "నమస్కారం! ఈ గొంతు ఇలా ఉంటుంది.",
};

export const sample = (code) => SAMPLES[code] ?? SAMPLES.en;
