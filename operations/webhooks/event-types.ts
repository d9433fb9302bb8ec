export { webhookEvent, webhookEventTypes } from '../../domain/webhooks/catalogue.ts';
