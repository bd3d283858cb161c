<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use Exception;

/**
 * The daemon, or the vendor behind it, has not done what was asked; the message is for the user.
 */
final class Refusal extends Exception
{
    private $reason;

    /** @param string $reason a code of the contract ("authentication_failed", ...), or "daemon": it is not there */
    public function __construct(string $message, string $reason)
    {
        parent::__construct($message);
        $this->reason = $reason;
    }

    public function reason(): string
    {
        return $this->reason;
    }
}
