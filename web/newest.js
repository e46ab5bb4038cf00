// Keeps the newest turn in view, unless the user has scrolled up; then a button leads back.

const NEAR_PX = 48; // a distance from the end that still counts as the end

export class Newest {
  #stage;
  #pill;
  #stays = true;
  #top = 0;
  #height = 0;

  constructor(stage, list, pill) {
    this.#stage = stage;
    this.#pill = pill;
    pill.onclick = () => this.show();
    stage.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    const resized = new ResizeObserver(() => this.#grown());
    for (const part of [stage, list]) resized.observe(part);
  }

  show() {
    this.#stays = true;
    this.#grown();
  }

  get #distance() {
    const { scrollHeight, scrollTop, clientHeight } = this.#stage;
    return scrollHeight - scrollTop - clientHeight;
  }

  /** What moves while the conversation grows or shrinks is not the user's doing. */
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#stage;
    const near = this.#distance < NEAR_PX;
    const byUser = scrollTop < this.#top - 1 && scrollHeight - clientHeight === this.#height;
    if (near || byUser) this.#stays = near;
    this.#top = scrollTop;
    this.#pill.hidden = this.#stays;
  }

  #grown() {
    if (this.#stays) this.#stage.scrollTop = this.#stage.scrollHeight;
    this.#top = this.#stage.scrollTop;
    this.#height = this.#stage.scrollHeight - this.#stage.clientHeight;
    this.#pill.hidden = this.#stays || this.#distance < NEAR_PX;
  }
}
