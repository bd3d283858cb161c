<?php

use Jeenergie\Equipment\Discovery;

/** A saved secret goes to the address that it was entered for, and to no other without the user. */
final class MovedSecretsTest extends JeenergieTestCase
{
    private $connection;

    protected function setUp(): void
    {
        parent::setUp();
        $this->connection = $this->connection(['host' => '192.168.1.40', 'password' => 'p4ss']);
    }

    private function saved(array $config): jeenergie
    {
        $edited = jeenergie::byId($this->connection->getId());
        $edited->setConfiguration('config', $config);
        $edited->save();
        return jeenergie::byId($this->connection->getId());
    }

    private function form(array $config): jeenergie
    {
        $form = ['id' => $this->connection->getId(), 'backend' => $this->lab(), 'name' => 'House'];
        return Discovery::fromForm($form + ['config' => $config]);
    }

    public function testASaveWithAnotherHostAsksForItAgain(): void
    {
        try {
            $this->saved(['host' => '192.0.2.1', 'password' => '']);
            $this->fail('saved');
        } catch (Exception $error) {
            $this->assertStringContainsString('« Host » a changé : saisissez de nouveau « Password »', $error->getMessage());
        }
        $this->assertSame('192.168.1.40', jeenergie::byId($this->connection->getId())->config()['host']);
    }

    public function testATestOfAFormWithAnotherHostSendsNothingThere(): void
    {
        $this->startDaemon('echo');
        $this->expectExceptionMessage('« Host » a changé');
        Discovery::test($this->form(['host' => '192.0.2.1', 'password' => '']));
    }

    public function testEnteredAgainItGoesToTheNewHost(): void
    {
        $this->assertSame('other', $this->form(['host' => '192.0.2.1', 'password' => 'other'])->config()['password']);
        $this->assertSame('other', $this->saved(['host' => '192.0.2.1', 'password' => 'other'])->config()['password']);
    }

    public function testTheSameHostByAnotherPortKeepsIt(): void
    {
        $this->assertSame('p4ss', $this->saved(['host' => '192.168.1.40:8080', 'password' => ''])->config()['password']);
    }

    public function testEachSecretOfThatAddressIsAskedFor(): void
    {
        $this->saved(['host' => '192.168.1.40', 'extra' => 'more']);
        $this->expectExceptionMessage('« Password », « Extra »');
        $this->saved(['host' => '192.0.2.1']);
    }

    public function testOneThatNoLongerAppliesIsNotAskedFor(): void
    {
        $this->assertSame('192.0.2.1', $this->saved(['host' => '192.0.2.1', 'open' => '1'])->config()['host']);
    }
}
