<?php
/**
 * Plugin Name: Rekindle carts
 * Description: Reports carts to Rekindle, signed like WooCommerce's own webhooks, marks each order with its cart, and shows pop-ups.
 * Requires at least: 5.7
 * Requires PHP: 7.4
 *
 * Copy to wp-content/mu-plugins/ and define REKINDLE_URL and REKINDLE_SECRET in wp-config.php. Source: docs/woocommerce-carts.md
 *
 * Nothing is reported before something lies in the cart. Reports are sent at the end of a request and wait for no answer: a shop whose
 * Rekindle is away is as fast as before, and the next change of the cart makes up for the report that was lost.
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

/** The key of this visitor's cart, made when it is first needed. It is a secret of the visitor: whoever has it can say that the cart changed. */
function rekindle_cart_key() {
	$key = WC()->session->get( 'rekindle_cart' );
	if ( ! is_string( $key ) || '' === $key ) {
		$key = bin2hex( random_bytes( 16 ) );
		WC()->session->set( 'rekindle_cart', $key );
		WC()->session->set( 'rekindle_cart_created', gmdate( 'Y-m-d\TH:i:s\Z' ) );
	}
	return $key;
}

/** An amount as the Store API writes it: in units of the shop's last decimal. */
function rekindle_amount( $amount ) {
	return (string) (int) round( (float) $amount * 10 ** wc_get_price_decimals() );
}

/** Amounts with what they need to be understood. */
function rekindle_amounts( array $amounts ) {
	return array_map( 'rekindle_amount', $amounts ) + array(
		'currency_code'       => get_woocommerce_currency(),
		'currency_minor_unit' => wc_get_price_decimals(),
	);
}

/** A variation's options, by the names that shoppers see. */
function rekindle_variation( array $line ) {
	$options = array();
	foreach ( $line['variation'] as $name => $value ) {
		$taxonomy  = str_replace( 'attribute_', '', urldecode( $name ) );
		$term      = taxonomy_exists( $taxonomy ) ? get_term_by( 'slug', $value, $taxonomy ) : false;
		$options[] = array(
			'attribute' => wc_attribute_label( $taxonomy, $line['data'] ),
			'value'     => $term ? $term->name : (string) $value,
		);
	}
	return $options;
}

/** One line in the shape of the Store API's cart. */
function rekindle_item( array $line ) {
	$product = $line['data'];
	$image   = wp_get_attachment_image_url( $product->get_image_id(), 'woocommerce_thumbnail' );
	$before  = $product->get_regular_price();
	$price   = wc_get_price_to_display( $product );
	return array(
		'id'                  => (int) ( $line['variation_id'] ? $line['variation_id'] : $line['product_id'] ),
		'quantity'            => (float) $line['quantity'],
		'name'                => $product->get_title(),
		'permalink'           => $product->get_permalink(),
		'images'              => $image ? array( array( 'thumbnail' => $image ) ) : array(),
		'variation'           => rekindle_variation( $line ),
		'low_stock_remaining' => $product->managing_stock() ? max( 0, (int) $product->get_stock_quantity() ) : null,
		'prices'              => rekindle_amounts(
			array(
				'price'         => $price,
				'regular_price' => is_numeric( $before ) ? wc_get_price_to_display( $product, array( 'price' => (float) $before ) ) : $price,
			)
		),
		'totals'              => rekindle_amounts(
			array(
				'line_subtotal' => $line['line_subtotal'],
				'line_total'    => $line['line_total'],
			)
		),
	);
}

function rekindle_base64url( $bytes ) {
	return rtrim( strtr( base64_encode( $bytes ), '+/', '-_' ), '=' );
}

/** A link that fills the cart again, on any device. It names products and no person, and is signed, so that nobody can make up another. */
function rekindle_restore_url( $key, array $lines, array $coupons ) {
	$items = array();
	foreach ( $lines as $line ) {
		$items[] = array( (int) $line['product_id'], (float) $line['quantity'], (int) $line['variation_id'], (object) $line['variation'] );
	}
	$content = rekindle_base64url( wp_json_encode( array( 'k' => $key, 'i' => $items, 'c' => array_values( $coupons ) ) ) );
	$url     = add_query_arg( 'rekindle', $content . '.' . rekindle_link_signature( $content ), wc_get_cart_url() );
	// Longer ones are cut by some mail programs. The cart's own page still shows it on the device where it was filled.
	return strlen( $url ) <= 1900 ? $url : wc_get_cart_url();
}

/** Not the signature of a webhook: a link must never pass for one. */
function rekindle_link_signature( $content ) {
	return rekindle_base64url( hash_hmac( 'sha256', 'restore.' . $content, REKINDLE_SECRET, true ) );
}

/** @return array|null null: the link was not made here */
function rekindle_read_link( $link ) {
	$parts = explode( '.', (string) $link );
	if ( 2 !== count( $parts ) || ! hash_equals( rekindle_link_signature( $parts[0] ), $parts[1] ) ) {
		return null;
	}
	$content = json_decode( base64_decode( strtr( $parts[0], '-_', '+/' ) ), true );
	return is_array( $content ) ? $content : null;
}

/** A link to the cart as it is now. */
function rekindle_restore_url_now( $key ) {
	return rekindle_restore_url( $key, array_values( WC()->cart->get_cart() ), WC()->cart->get_applied_coupons() );
}

/** The cart as it is now. */
function rekindle_payload() {
	$cart     = WC()->cart;
	$customer = WC()->customer;
	$key      = rekindle_cart_key();
	$lines    = array_values( $cart->get_cart() );
	$address  = array(
		'first_name' => (string) $customer->get_billing_first_name(),
		'last_name'  => (string) $customer->get_billing_last_name(),
		'country'    => (string) $customer->get_billing_country(),
		'state'      => (string) $customer->get_billing_state(),
		'email'      => (string) ( $customer->get_billing_email() ? $customer->get_billing_email() : $customer->get_email() ),
		'phone'      => (string) $customer->get_billing_phone(),
	);
	// Before somebody says who they are, WooCommerce takes the shop's own country for theirs.
	if ( '' === $address['email'] && '' === $address['phone'] ) {
		$address['country'] = '';
		$address['state']   = '';
	}
	$payload = array(
		'id'               => $key,
		'date_created_gmt' => WC()->session->get( 'rekindle_cart_created' ),
		'customer_id'      => get_current_user_id(),
		'locale'           => determine_locale(),
		'restore_url'      => $lines ? rekindle_restore_url_now( $key ) : '',
		'cart'             => array(
			'items'           => array_map( 'rekindle_item', $lines ),
			'totals'          => rekindle_amounts( array( 'total_price' => $lines ? $cart->get_total( 'edit' ) : 0 ) ),
			'billing_address' => $address,
		),
	);
	$marketing = WC()->session->get( 'rekindle_marketing' );
	if ( is_bool( $marketing ) ) {
		$payload['marketing'] = array(
			'email'   => $marketing,
			'wording' => defined( 'REKINDLE_MARKETING_WORDING' ) ? (string) REKINDLE_MARKETING_WORDING : '',
		);
	}
	return apply_filters( 'rekindle_cart_payload', $payload );
}

/** The request for a body, signed over exactly these bytes. */
function rekindle_request( $body ) {
	return array(
		'body'     => $body,
		'blocking' => false,
		'timeout'  => 3,
		'headers'  => array(
			'Content-Type'             => 'application/json',
			'X-WC-Webhook-Source'      => home_url( '/' ),
			'X-WC-Webhook-Topic'       => 'rekindle.cart',
			'X-WC-Webhook-Resource'    => 'rekindle',
			'X-WC-Webhook-Event'       => 'cart',
			'X-WC-Webhook-Signature'   => base64_encode( hash_hmac( 'sha256', $body, REKINDLE_SECRET, true ) ),
			'X-WC-Webhook-Delivery-ID' => bin2hex( random_bytes( 16 ) ),
		),
	);
}

/** The time in UTC with its microseconds: of two changes within a second the later one counts. */
function rekindle_now() {
	return DateTime::createFromFormat( 'U.u', sprintf( '%.6F', microtime( true ) ) )->format( 'Y-m-d\TH:i:s.u\Z' );
}

$GLOBALS['rekindle_changed'] = false;

/** For any hook: the cart may have changed. Passes on what a filter gives it. */
function rekindle_cart_changed( $passed = null ) {
	$GLOBALS['rekindle_changed'] = true;
	return $passed;
}

/** At the end of the request, when the totals are known: report what is new, once. */
function rekindle_report() {
	if ( ! $GLOBALS['rekindle_changed'] || ! function_exists( 'WC' ) || ! WC()->cart || ! WC()->session || ! WC()->customer ) {
		return;
	}
	$GLOBALS['rekindle_changed'] = false;
	$known = WC()->session->get( 'rekindle_cart' );
	if ( WC()->cart->is_empty() ) {
		// WooCommerce empties the cart when it was bought: that is no change of the cart, and the next one is another.
		if ( $known && WC()->session->get( 'rekindle_ordered' ) === $known ) {
			rekindle_forget();
			return;
		}
		if ( ! $known ) {
			return;
		}
	}
	$payload = rekindle_payload();
	if ( ! is_array( $payload ) ) {
		return;
	}
	$state = md5( wp_json_encode( $payload ) );
	if ( WC()->session->get( 'rekindle_reported' ) === $state ) {
		return;
	}
	WC()->session->set( 'rekindle_reported', $state );
	$payload['date_modified_gmt'] = rekindle_now();
	$body = trim( wp_json_encode( $payload ) );
	// Not wp_safe_remote_post, which reaches no server of one's own network and no port but 80, 443 and 8080.
	wp_remote_post( REKINDLE_URL, rekindle_request( $body ) );
}

function rekindle_forget() {
	foreach ( array( 'rekindle_cart', 'rekindle_cart_created', 'rekindle_ordered', 'rekindle_reported', 'rekindle_marketing' ) as $name ) {
		WC()->session->set( $name, null );
	}
}

/** The order finds its cart by this; the link leads back to it while the order is not paid. */
function rekindle_mark_order( $order ) {
	$key = WC()->session ? WC()->session->get( 'rekindle_cart' ) : null;
	if ( $key ) {
		$order->update_meta_data( '_rekindle_cart', $key );
		if ( WC()->cart && ! WC()->cart->is_empty() ) {
			$order->update_meta_data( '_rekindle_restore_url', rekindle_restore_url_now( $key ) );
		}
	}
}

/** The block checkout has saved its order already when it asks. */
function rekindle_mark_and_save_order( $order ) {
	rekindle_mark_order( $order );
	$order->save_meta_data();
}

function rekindle_ordered() {
	if ( WC()->session && WC()->session->get( 'rekindle_cart' ) ) {
		WC()->session->set( 'rekindle_ordered', WC()->session->get( 'rekindle_cart' ) );
	}
}

/** The classic checkout sends its form, as a query string, whenever totals are asked for. */
function rekindle_checkout_fields( $form ) {
	$fields = array();
	parse_str( (string) $form, $fields );
	$text = function ( $name ) use ( $fields ) {
		return isset( $fields[ $name ] ) && is_string( $fields[ $name ] ) ? sanitize_text_field( $fields[ $name ] ) : '';
	};
	$email = sanitize_email( $text( 'billing_email' ) );
	if ( is_email( $email ) ) {
		WC()->customer->set_billing_email( $email );
	}
	foreach ( array( 'phone', 'first_name', 'last_name' ) as $name ) {
		if ( '' !== $text( 'billing_' . $name ) ) {
			WC()->customer->{ 'set_billing_' . $name }( $text( 'billing_' . $name ) );
		}
	}
	// A box that is left as it was is not among the fields of a form.
	if ( defined( 'REKINDLE_MARKETING_FIELD' ) ) {
		WC()->session->set( 'rekindle_marketing', ! in_array( strtolower( $text( REKINDLE_MARKETING_FIELD ) ), array( '', '0', 'no', 'off', 'false' ), true ) );
	}
	rekindle_cart_changed();
}

/** The box of the checkout in its page, after a comma; empty: there is none. */
function rekindle_marketing_selector() {
	return defined( 'REKINDLE_MARKETING_FIELD' ) ? ', [name=' . preg_replace( '/[^\w-]/', '', REKINDLE_MARKETING_FIELD ) . ']' : '';
}

/** The classic checkout asks for totals when the address changes; it shall when the email address, the number or the box does. */
function rekindle_checkout_script() {
	wp_add_inline_script(
		'wc-checkout',
		"jQuery( document.body ).on( 'change', '#billing_email, #billing_phone" . rekindle_marketing_selector() . "', function () { jQuery( document.body ).trigger( 'update_checkout' ); } );"
	);
}

/** Where Rekindle is, without a slash at the end. */
function rekindle_origin() {
	$parts = explode( '/api/webhooks/', REKINDLE_URL, 2 );
	return rtrim( $parts[0], '/' );
}

/**
 * The script for pop-ups (docs/on-site.md), in every page of the shop. The page says where the visitor's cart is asked for, and not which it is: a cache
 * may give the same page to others.
 */
function rekindle_onsite_script() {
	$attributes = array(
		'async'         => true,
		'src'           => rekindle_origin() . '/onsite/rekindle.js',
		'data-key'      => (string) REKINDLE_ONSITE_KEY,
		'data-cart-url' => WC_AJAX::get_endpoint( 'rekindle_cart' ),
	);
	if ( defined( 'REKINDLE_ONSITE_REMEMBER' ) ) {
		$attributes['data-remember'] = (string) REKINDLE_ONSITE_REMEMBER;
	}
	// null: not in this page, for instance before the visitor has agreed.
	$attributes = apply_filters( 'rekindle_onsite_attributes', $attributes );
	if ( is_array( $attributes ) ) {
		wp_print_script_tag( $attributes );
	}
}

/** The key of the cart that this visitor has; none is made for it. Pages of other sites cannot read the answer. */
function rekindle_onsite_cart() {
	$key = WC()->session ? WC()->session->get( 'rekindle_cart' ) : null;
	wp_send_json( array( 'token' => is_string( $key ) && '' !== $key ? $key : null ) );
}

/** Somebody follows a link of an email: fill the cart as it was, unless something lies in it, and show it. */
function rekindle_restore() {
	if ( ! isset( $_GET['rekindle'] ) || ! is_string( $_GET['rekindle'] ) || ! WC()->cart || ! WC()->session ) {
		return;
	}
	$content = rekindle_read_link( wp_unslash( $_GET['rekindle'] ) );
	if ( null !== $content && WC()->cart->is_empty() ) {
		WC()->session->set_customer_session_cookie( true );
		WC()->session->set( 'rekindle_cart', (string) $content['k'] );
		WC()->session->set( 'rekindle_cart_created', null );
		foreach ( $content['i'] as $item ) {
			list( $product, $quantity, $variation, $attributes ) = $item;
			WC()->cart->add_to_cart( (int) $product, $quantity, (int) $variation, (array) $attributes );
		}
		foreach ( $content['c'] as $coupon ) {
			WC()->cart->apply_coupon( (string) $coupon );
		}
		// It is as it was reported, and the visitor may be a scanner that follows every link of an email.
		$GLOBALS['rekindle_changed'] = false;
	}
	// Without the link in the address bar, which a shopper may pass on.
	wp_safe_redirect( remove_query_arg( 'rekindle' ) );
	exit;
}

if ( defined( 'REKINDLE_URL' ) && defined( 'REKINDLE_SECRET' ) && '' !== REKINDLE_SECRET ) {
	foreach (
		array(
			'woocommerce_add_to_cart',
			'woocommerce_cart_item_removed',
			'woocommerce_cart_item_restored',
			'woocommerce_after_cart_item_quantity_update',
			'woocommerce_applied_coupon',
			'woocommerce_removed_coupon',
			'woocommerce_cart_emptied',
			'woocommerce_store_api_cart_update_customer_from_request',
			'woocommerce_store_api_checkout_update_customer_from_request',
			'wp_login',
		) as $rekindle_hook
	) {
		add_action( $rekindle_hook, 'rekindle_cart_changed' );
	}
	add_action( 'woocommerce_checkout_update_order_review', 'rekindle_checkout_fields' );
	add_action( 'wp_enqueue_scripts', 'rekindle_checkout_script', 20 );
	add_action( 'woocommerce_checkout_create_order', 'rekindle_mark_order' );
	add_action( 'woocommerce_store_api_checkout_update_order_meta', 'rekindle_mark_and_save_order' );
	add_action( 'woocommerce_checkout_order_processed', 'rekindle_ordered' );
	add_action( 'woocommerce_store_api_checkout_order_processed', 'rekindle_ordered' );
	add_action( 'wp_loaded', 'rekindle_restore', 30 );
	if ( defined( 'REKINDLE_ONSITE_KEY' ) && '' !== REKINDLE_ONSITE_KEY ) {
		add_action( 'wp_footer', 'rekindle_onsite_script' );
		// WooCommerce keeps its answers out of caches.
		add_action( 'wc_ajax_rekindle_cart', 'rekindle_onsite_cart' );
	}
	// WooCommerce saves its session at 20.
	add_action( 'shutdown', 'rekindle_report', 10 );
}
