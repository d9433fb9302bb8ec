/** From whom emails come that the installation itself sends. */
export interface MailFrom {
  name: string;
  address: string;
}
