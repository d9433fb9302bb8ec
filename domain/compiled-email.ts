/** A mail compiled when its version is published: Liquid templates, JSON-serialisable, no further MJML work at send time. */
export interface CompiledEmail {
  subject: string;
  html: string;
  text: string;
}
